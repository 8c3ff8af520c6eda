#pragma once

/// \file
/// What a worker does with each message: executes it, within the time that functions have, and sees to what
/// is rejected.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <cfd/event.hpp>

#include "execution/executor.hpp"
#include "once/once.hpp"
#include "transport/transport.hpp"
#include "worker/dead_letter.hpp"
#include "worker/watchdog.hpp"

namespace cfd::worker {

/// Thread-safe.
class Runner {
 public:
  /// By the settings. Throws ConfigError where they ask for what the program cannot do. `subscription` names
  /// the source of the log's lines where no topic is set; empty: each message's own. `ending` is the worker's
  /// end, where the tokens of run() fire for that and for a lost lease.
  explicit Runner(const std::string& subscription = {}, std::optional<std::stop_token> ending = {});

  /// Never throws. `stop` is handed on to the function, which the timeout stops too; what a function returns
  /// after its time is over, or after its message's lease was lost, counts for nothing, and the message is to
  /// come again. A `lease` is let go when the function's time is over: a function that does not end must not
  /// keep its call from other workers for ever.
  Outcome run(const Event& event, std::stop_token stop, transport::Lease* lease = nullptr);

 private:
  using Call = std::function<Outcome(std::stop_token)>;

  Outcome attempt(const Event& event, std::stop_token stop, transport::Lease* lease);
  Outcome call_function(const detail::Function& function, const Event& event, const std::stop_token& stop,
                        const Call& call, transport::Lease* lease);
  Outcome run_in_time(const Event& event, std::chrono::milliseconds timeout, const std::stop_token& stop,
                      const Call& call, transport::Lease* lease);

  std::string source_;
  std::optional<std::stop_token> ending_;
  std::optional<std::chrono::milliseconds> timeout_;
  std::unique_ptr<DeadLetters> dead_letters_;
  std::unique_ptr<once::Once> once_;
  Watchdog watchdog_;
};

}  // namespace cfd::worker
