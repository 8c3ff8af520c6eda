#pragma once

/// \file
/// Where lines go: a file descriptor, one write(2) a line.

#include <string_view>

namespace cfd::log {

/// Writes a line to `descriptor` whole, never mixed with another thread's. A descriptor that takes nothing
/// for a while loses the line rather than stopping the program. Thread-safe, also across fork().
void write_line(int descriptor, std::string_view line) noexcept;

}  // namespace cfd::log
