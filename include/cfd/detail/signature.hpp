#pragma once

/// \file
/// A type in words, as the manifest and the errors show it. Structural: names of C++ types do not matter, so
/// that two compilers, or a renamed struct, agree. Not API.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cfd::detail {

/// Collects the description of one type; Coder<T>::describe appends to it.
class Signature {
 public:
  void add(std::string_view text) { text_ += text; }

  /// Appends `name<A, B>`, describing each part by Coder.
  template <template <class> class Coder, class... Parts>
  void add_list(std::string_view open, std::string_view close) {
    add(open);
    bool first = true;
    ((add(first ? "" : ", "), first = false, Coder<Parts>::describe(*this)), ...);
    add(close);
  }

  /// Describes an aggregate by `body`, or refers to it by how many levels up it is being described already:
  /// types may contain themselves. `identity` is unique to the type.
  template <class Body>
  void nest(const void* identity, Body body) {
    const auto it = std::find(open_.rbegin(), open_.rend(), identity);
    if (it != open_.rend()) {
      add("^");
      add(std::to_string(it - open_.rbegin() + 1));
      return;
    }
    open_.push_back(identity);
    body();
    open_.pop_back();
  }

  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::vector<const void*> open_;
};

}  // namespace cfd::detail
