#pragma once

/// \file
/// Which build of the program this is, so that an error on the other side can name it.

#include <string_view>

namespace cfd::caller {

/// The first 16 hexadecimal digits of the GNU build id that the linker gave the program; empty where it gave
/// none.
std::string_view build_id() noexcept;

}  // namespace cfd::caller
