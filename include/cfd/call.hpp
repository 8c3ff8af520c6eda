#pragma once

/// \file
/// The handle of one dispatched call.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

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

/// Lets calls with this ordering key through again. A call that fails stops its key: later calls with it fail
/// with FAILED_PRECONDITION, since to send them would break the order. Resume the key when what failed was
/// made good, or made again. Does nothing for a key that is not stopped. Never throws. Thread-safe.
void resume(std::string_view ordering_key);

/// As resume(), for every key. Needed also after more than 100,000 keys were stopped at once: which ones is
/// no longer remembered then, so calls with any ordering key are refused, and the log says so.
void resume_all();

}  // namespace cfd
