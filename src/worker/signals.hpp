#pragma once

/// \file
/// SIGTERM and SIGINT: the first asks the worker to end, the second ends the process at once.

#include <chrono>
#include <stop_token>
#include <thread>

namespace cfd::worker {

/// Handles both signals from construction on, for the rest of the process; to be made once. Handlers are
/// installed rather than the signals blocked: a blocked mask would be inherited by every program that a
/// function starts, and a handler also makes the signals reach a process that is PID 1 of a container.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Fires at the first signal. Its callbacks run on a thread of their own, not in the handler.
  std::stop_token stop() const noexcept { return source_.get_token(); }

  /// Waits for the first signal.
  void wait() const;

 private:
  std::stop_source source_;
  std::thread thread_;
};

}  // namespace cfd::worker
