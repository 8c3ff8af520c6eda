#include "registry/type_words.hpp"

namespace cfd::registry {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<TypeWords> whole() {
    auto type = one(0);
    if (!type || at_ != text_.size()) return std::nullopt;
    return type;
  }

 private:
  std::optional<TypeWords> one(unsigned depth) {
    constexpr unsigned deepest = 100;
    if (depth > deepest) return std::nullopt;
    const std::size_t start = at_;
    TypeWords type;
    if (take('{')) {
      type.name = "{";
      if (!parts(type, '}', depth)) return std::nullopt;
    } else {
      while (at_ < text_.size() && std::string_view("<>{}, ").find(text_[at_]) == std::string_view::npos)
        type.name += text_[at_++];
      if (type.name.empty()) return std::nullopt;
      if (take('<') && !parts(type, '>', depth)) return std::nullopt;
    }
    type.text = text_.substr(start, at_ - start);
    return type;
  }

  bool parts(TypeWords& type, char close, unsigned depth) {
    if (take(close)) return true;
    do {
      while (take(' ')) {
      }
      auto part = one(depth + 1);
      if (!part) return false;
      type.parts.push_back(std::move(*part));
    } while (take(','));
    return take(close);
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<TypeWords> parse_type(std::string_view text) {
  return Parser(text).whole();
}

}  // namespace cfd::registry
