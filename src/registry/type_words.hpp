#pragma once

/// \file
/// Types in words, such as "list<{int32, string}>", as a tree.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfd::registry {

/// One type: `name` is "list", "int32", "{" for an aggregate, "^1" for a reference upwards; `parts` are its
/// parts.
struct TypeWords {
  std::string name;
  std::vector<TypeWords> parts;
  std::string text;  ///< as it was written
};

/// Parses; empty where the text is not a type in words or is nested deeper than 100 levels.
std::optional<TypeWords> parse_type(std::string_view text);

}  // namespace cfd::registry
