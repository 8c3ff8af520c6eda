#pragma once

/// \file
/// A message that has arrived, executed. Between the entry points and src/execute, whose namespace has the
/// name of the public function cfd::execute, so that no file can include both headers.

#include <stop_token>
#include <string>

#include <cfd/event.hpp>

namespace cfd::worker {

/// Executes `event`; the log's third column is `topic`, the topic that the calls were made to, or, where that
/// is empty, the subscription's id. Thread-safe; never throws.
Outcome run_message(const Event& event, const std::string& topic, std::stop_token stop);

}  // namespace cfd::worker
