#pragma once

/// \file
/// Subscription filters: which messages, by their attributes, a subscription gets.

#include <memory>
#include <string>
#include <string_view>

#include "emulator/status.hpp"

namespace cfd::emulator {

/// A parsed filter. Immutable and cheap to copy; an empty one matches everything.
class Filter {
 public:
  static constexpr std::size_t max_bytes = 256;

  /// Parses `text`, or says where and why it is no filter.
  static Status parse(std::string_view text, Filter& filter);

  /// Whether a serialized PubsubMessage passes.
  bool matches(std::string_view message) const;

  bool empty() const noexcept { return root_ == nullptr; }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

}  // namespace cfd::emulator
