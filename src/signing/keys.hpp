#pragma once

/// \file
/// The secret keys that messages are signed with, from the settings.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfd::signing {

struct Key {
  std::string id;
  std::string bytes;
};

struct Keys {
  std::vector<Key> all;  ///< at least one; the first signs
  std::optional<std::chrono::milliseconds> max_age;
};

/// The keys in force; null where the settings name none, and calls are neither signed nor verified. Reads the
/// settings when they have changed, so that it costs a comparison. What it points to stays. Thread-safe.
/// Throws ConfigError where the keys cannot be read or the program links nothing to sign with.
const Keys* keys();

/// Keys from the value of the setting: `ID:HEX[,ID:HEX...]`, or `file:PATH` with the same, separated by
/// commas or line breaks. Throws ConfigError without anything secret in its text.
std::vector<Key> parse_keys(std::string_view setting);

}  // namespace cfd::signing
