#pragma once

/// \file
/// A message in a form that people can read: a call of this project as `functions.my_func(1, 2)`, else text,
/// else hexadecimal digits. All bounded, whatever the message says of itself.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cfd::emulator {

/// Every string is valid UTF-8.
struct Preview {
  std::string call;  ///< `name(1, "a", key=2)`; empty where the message is no call, or none that can be read
  std::string text;  ///< the beginning of the data, as text or hexadecimal; empty where there is a call
  bool binary = false;  ///< text is hexadecimal
  bool truncated = false;
  std::size_t size = 0;  ///< of the data as published, in bytes
  std::string ordering_key;
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// Takes a serialized PubsubMessage.
Preview preview_of(std::string_view message);

/// The data of a serialized PubsubMessage; a view into it.
std::string_view data_of(std::string_view message);

}  // namespace cfd::emulator
