#pragma once

/// \file
/// The state behind a cfd::Call: pending, then once and for ever confirmed or failed.

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace cfd::detail {

class CallState {
 public:
  /// `id`: 32 hexadecimal digits.
  explicit CallState(std::string_view id);

  std::string_view id() const noexcept { return {id_.data(), id_.size()}; }

  /// The transport calls exactly one of these, exactly once, from any thread.
  void confirm(std::string_view message_id);
  void fail(std::string_view code, std::string_view message);

  bool done() const noexcept;

  /// Returns the message id; throws PublishError where failed, TimeoutError at `deadline`.
  std::string wait_until(std::chrono::steady_clock::time_point deadline) const;

 private:
  enum class Phase : std::uint8_t { pending, confirmed, failed };
  std::array<char, 32> id_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Phase phase_ = Phase::pending;
  std::string result_;  ///< message id, or the error's text
  std::string code_;
};

using CallStatePtr = std::shared_ptr<CallState>;

}  // namespace cfd::detail
