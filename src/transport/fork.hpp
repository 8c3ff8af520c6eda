#pragma once

/// \file
/// Telling a process from the one it was forked from, at the price of one load.

#include <cstdint>

namespace cfd::transport {

/// A number that differs between a process and each of its descendants by fork(). Threads and locks of the
/// parent do not exist in the child, so whoever owns any compares this number before it touches them.
/// Async-signal-safe.
std::uint32_t fork_generation() noexcept;

}  // namespace cfd::transport
