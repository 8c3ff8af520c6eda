#pragma once

/// \file
/// The time as the log writes it.

#include <array>
#include <chrono>
#include <string_view>

namespace cfd::log {

/// `2020-03-13T22:24:35.427Z`: UTC with milliseconds.
class Timestamp {
 public:
  explicit Timestamp(std::chrono::system_clock::time_point time) noexcept;

  std::string_view text() const noexcept { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 24> text_;
};

}  // namespace cfd::log
