#pragma once

/// \file
/// The handle of one dispatched call.

#include <chrono>
#include <memory>
#include <string>

namespace cfd {

namespace detail {
class CallState;
}

/// What `f(args...)` returns: a handle that may be ignored. Copies share one state; all members may be called
/// from any thread. Letting go of a handle changes nothing about the call.
class Call {
 public:
  explicit Call(std::shared_ptr<detail::CallState> state) noexcept : state_(std::move(state)) {}

  /// The call's own id, 32 hexadecimal digits, unique; travels as attribute `call_id` and is in the logs of
  /// both sides.
  std::string id() const;

  /// Waits until Pub/Sub has confirmed the message, and returns Pub/Sub's message id: the event id of the
  /// executing side's log lines. Throws PublishError where the call failed for good.
  std::string wait() const;

  /// As wait(), but throws TimeoutError after `timeout`; the call goes on.
  std::string wait_for(std::chrono::milliseconds timeout) const;

  /// Whether the call is confirmed or failed, so that wait() would not block.
  bool done() const noexcept;

 private:
  std::shared_ptr<detail::CallState> state_;
};

/// Waits until every call made so far by this process is confirmed or failed, at most `timeout`.
/// Returns whether all were confirmed. Never throws; failures are in the handles and in the log. Thread-safe.
bool flush(std::chrono::milliseconds timeout);

}  // namespace cfd
