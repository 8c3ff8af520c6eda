#pragma once

/// \file
/// The functions of this program, by name. Filled during static initialization, only read afterwards.

#include <string>
#include <string_view>
#include <vector>

#include <cfd/detail/function.hpp>

namespace cfd::registry {

/// The function of this name, or null. Thread-safe.
const detail::Function* find(std::string_view name) noexcept;

/// All functions, by name.
std::vector<const detail::Function*> all();

/// The names closest to one that is not there, at most three, for an error that helps. May be empty.
std::vector<std::string_view> similar(std::string_view name);

/// What this program dispatches and executes, as JSON; docs/wire-format.md describes it.
std::string manifest_json();

/// Does nothing; a reference to it links what answers `--cfd-manifest` (manifest_flag.cpp).
void link_manifest_flag() noexcept;

}  // namespace cfd::registry
