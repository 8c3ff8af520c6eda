#pragma once

/// \file
/// Envelope -> lookup -> decode -> call -> success | retry | reject. No I/O: push and pull both end here.

#include <functional>
#include <stop_token>
#include <string_view>

#include <cfd/event.hpp>

namespace cfd::detail {
struct Function;
}

namespace cfd::execution {

/// Calls a function that has been found: `call` decodes the arguments and runs it, with the token that it is
/// given, and tells the outcome; what is returned here counts.
using Around =
    std::function<Outcome(const detail::Function& function, const Event& event, std::stop_token stop,
                          const std::function<Outcome(std::stop_token)>& call)>;

/// Executes the function that the message names, with the log lines of design section 2 around it.
/// Thread-safe; never throws: what the function throws becomes the outcome. `source` is the third column of
/// the log lines; `stop` is for functions that take a std::stop_token first; `around`, where there is one,
/// stands around each call.
Outcome run(const Event& event, std::string_view source, std::stop_token stop = {},
            const Around& around = {});

}  // namespace cfd::execution
