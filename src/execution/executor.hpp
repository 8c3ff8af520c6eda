#pragma once

/// \file
/// Envelope -> lookup -> decode -> call -> success | retry | reject. No I/O: push and pull both end here.

#include <stop_token>
#include <string_view>

#include <cfd/event.hpp>

namespace cfd::execution {

/// Executes the function that the message names, with the log lines of design section 2 around it.
/// Thread-safe; never throws: what the function throws becomes the outcome. `source` is the third column of
/// the log lines; `stop` is for functions that take a std::stop_token first.
Outcome run(const Event& event, std::string_view source, std::stop_token stop = {});

}  // namespace cfd::execution
