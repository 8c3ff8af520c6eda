#pragma once

/// \file
/// Compares what one program calls with what another executes, from their manifests, by the rules of
/// evolution in docs/wire-format.md section 5.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfd::registry {

enum class Severity : std::uint8_t {
  note,     ///< works, but something is passed over
  warning,  ///< some values or some ways of calling fail
  error,    ///< every call fails
};

struct Finding {
  Severity severity;
  std::string function;
  std::string reason;  ///< one line
};

struct Comparison {
  std::vector<Finding> findings;  ///< by function, then as found
  std::size_t functions = 0;      ///< of the caller, compared
  std::string error;              ///< why a manifest cannot be read; empty where both could
};

/// What would fail if a program with manifest `caller` called one with manifest `worker`.
Comparison compare(std::string_view caller, std::string_view worker);

/// Whether a value written as type `from` can be read as type `to`, both in words. Appends what is to be said
/// to `reasons`, and returns the worst of it; note where there is nothing.
Severity compare_types(std::string_view from, std::string_view to,
                       std::vector<std::pair<Severity, std::string>>& reasons);

}  // namespace cfd::registry
