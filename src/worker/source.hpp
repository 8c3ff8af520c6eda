#pragma once

#include <string>
#include <string_view>

#include <cfd/event.hpp>

namespace cfd::worker {

/// The log's third column for a call: the topic that the calls were made to, where that is set, else the
/// subscription's id.
std::string_view source_of(const std::string& topic, const Event& event);

}  // namespace cfd::worker
