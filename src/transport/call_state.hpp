#pragma once

/// \file
/// The state behind a cfd::Call: pending, then once and for ever confirmed or failed.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace cfd::detail {

struct Function;

/// One allocation a call, and no lock: a million calls may be under way at once, and few of them are ever
/// waited for.
class CallState {
 public:
  /// `id`: 32 hexadecimal digits. `function`: of a call that the program made, so that
  /// Options::on_failed_call hears where it fails; null for messages that the library sends on its own
  /// account.
  explicit CallState(std::string_view id, const Function* function = nullptr) noexcept;

  CallState(const CallState&) = delete;
  CallState& operator=(const CallState&) = delete;
  ~CallState() = default;

  std::string_view id() const noexcept { return {id_.data(), id_.size()}; }

  /// The transport calls exactly one of these, exactly once, from any thread.
  void confirm(std::string_view message_id);
  void fail(std::string_view code, std::string_view message);

  bool done() const noexcept { return phase_.load(std::memory_order_acquire) >= Phase::confirmed; }

  /// Returns the message id; throws PublishError where failed, TimeoutError at `deadline`. In the child of a
  /// fork, throws PublishError for a call that was pending in the parent: only the parent hears what became
  /// of it.
  std::string wait_until(std::chrono::steady_clock::time_point deadline) const;

 private:
  enum class Phase : std::uint8_t { pending, awaited, confirmed, failed };

  /// What does not fit the state itself: an error, or a message id longer than any that Pub/Sub is known to
  /// give.
  struct Details {
    std::string code;
    std::string text;
  };

  void resolve(Phase phase) noexcept;
  void report_failure() const noexcept;
  std::string result() const;

  std::array<char, 32> id_;
  std::array<char, 22> message_id_;
  std::uint8_t message_id_size_ = 0;
  mutable std::atomic<Phase> phase_ = Phase::pending;
  std::uint32_t process_;  ///< the fork generation that made the call
  const Function* function_;
  std::unique_ptr<const Details> details_;
};

using CallStatePtr = std::shared_ptr<CallState>;

/// A new state, from memory that is made for states; see block_pool.hpp. Thread-safe.
CallStatePtr make_call_state(std::string_view id, const Function* function = nullptr);

}  // namespace cfd::detail
