#pragma once

/// \file
/// Ids of calls.

#include <array>

namespace cfd::caller {

/// 32 lower-case hexadecimal digits of randomness: unique, not secret. Thread-safe, takes no lock; a child of
/// a fork continues with randomness of its own.
std::array<char, 32> make_call_id();

}  // namespace cfd::caller
