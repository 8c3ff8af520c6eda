#include "emulator/filter.hpp"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/message.hpp"

namespace cfd::emulator {

// filter    = term { "AND" term } | term { "OR" term }      AND and OR mix only by parentheses
// term      = [ "NOT" | "-" ] ( "(" filter ")" | condition )
// condition = "attributes" ":" key
//           | "attributes" "." key ( "=" | "!=" ) string
//           | "hasPrefix" "(" "attributes" "." key "," string ")"
struct Filter::Node {
  enum class Kind : std::uint8_t { has, equals, prefix, negation, conjunction, disjunction };
  Kind kind;
  std::string key;
  std::string value;
  std::vector<std::shared_ptr<const Node>> children;
};

namespace {

using Node = Filter::Node;
using NodePtr = std::shared_ptr<const Node>;
using Attributes = std::vector<std::pair<std::string_view, std::string_view>>;

bool evaluate(const Node& node, const Attributes& attributes) {
  const auto child_matches = [&](const NodePtr& child) { return evaluate(*child, attributes); };
  const auto find = [&] { return std::ranges::find(attributes, node.key, &Attributes::value_type::first); };
  switch (node.kind) {
    case Node::Kind::has:
      return find() != attributes.end();
    case Node::Kind::equals: {
      const auto found = find();
      return found != attributes.end() && found->second == node.value;
    }
    case Node::Kind::prefix: {
      const auto found = find();
      return found != attributes.end() && found->second.starts_with(node.value);
    }
    case Node::Kind::negation:
      return !evaluate(*node.children.front(), attributes);
    case Node::Kind::conjunction:
      return std::ranges::all_of(node.children, child_matches);
    case Node::Kind::disjunction:
      return std::ranges::any_of(node.children, child_matches);
  }
  return false;
}

/// Recursive descent; depth is bounded by the filter's 256 bytes.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NodePtr parse() {
    auto root = filter();
    if (root != nullptr && !at_end()) return fail("expected AND, OR or the end");
    return root;
  }

  const std::string& error() const noexcept { return error_; }

 private:
  NodePtr filter() {
    auto first = term();
    if (first == nullptr) return nullptr;
    std::string_view connective;
    std::vector<NodePtr> terms{std::move(first)};
    for (auto word = peek_word(); word == "AND" || word == "OR"; word = peek_word()) {
      if (!connective.empty() && connective != word)
        return fail("AND and OR can only be mixed with parentheses");
      connective = word;
      take_word(word);
      auto next = term();
      if (next == nullptr) return nullptr;
      terms.push_back(std::move(next));
    }
    if (terms.size() == 1) return terms.front();
    return node(connective == "AND" ? Node::Kind::conjunction : Node::Kind::disjunction, {}, {},
                std::move(terms));
  }

  NodePtr term() {
    bool negated = false;
    if (peek_word() == "NOT") {
      take_word("NOT");
      negated = true;
    } else if (take('-')) {
      negated = true;
    }
    auto inner = take('(') ? parenthesized() : condition();
    if (inner == nullptr || !negated) return inner;
    return node(Node::Kind::negation, {}, {}, {std::move(inner)});
  }

  NodePtr parenthesized() {
    auto inner = filter();
    if (inner != nullptr && !take(')')) return fail("expected )");
    return inner;
  }

  NodePtr condition() {
    std::string key;
    std::string value;
    if (peek_word() == "hasPrefix") {
      take_word("hasPrefix");
      if (!take('(')) return fail("expected ( after hasPrefix");
      if (!attribute('.', key)) return nullptr;
      if (!take(',')) return fail("expected ,");
      if (!string(value)) return nullptr;
      if (!take(')')) return fail("expected )");
      return node(Node::Kind::prefix, std::move(key), std::move(value), {});
    }
    if (peek_word() != "attributes") return fail("expected attributes, hasPrefix, NOT or (");
    if (!peek_after("attributes", '.')) {
      return attribute(':', key) ? node(Node::Kind::has, std::move(key), {}, {}) : nullptr;
    }
    if (!attribute('.', key)) return nullptr;
    const bool unequal = take('!');
    if (!take('=')) return fail("expected = or !=");
    if (!string(value)) return nullptr;
    auto equals = node(Node::Kind::equals, std::move(key), std::move(value), {});
    return unequal ? node(Node::Kind::negation, {}, {}, {std::move(equals)}) : equals;
  }

  /// "attributes", the separator, a key; the key bare or as a string.
  bool attribute(char separator, std::string& key) {
    if (peek_word() != "attributes") return fail("expected attributes"), false;
    take_word("attributes");
    if (!take(separator)) return fail(fmt::format("expected {} after attributes", separator)), false;
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') return string(key);
    const auto word = peek_word();
    if (word.empty()) return fail("expected an attribute's key"), false;
    key = word;
    take_word(word);
    return true;
  }

  bool string(std::string& value) {
    if (!take('"')) return fail("expected a string in double quotes"), false;
    while (at_ < text_.size() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c == '\\') {
        if (at_ == text_.size()) break;
        c = text_[at_++];
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c != '"' && c != '\\' && c != '\'')
          return fail("unknown escape in a string"), false;
      }
      value += c;
    }
    if (at_ == text_.size()) return fail("a string is not closed"), false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// The identifier at the current position, which may contain hyphens after its first character.
  std::string_view peek_word() {
    skip_space();
    std::size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 ||
                                  text_[end] == '_' || (text_[end] == '-' && end > at_))) {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }
  void take_word(std::string_view word) { at_ += word.size(); }
  bool peek_after(std::string_view word, char c) {
    std::size_t after = at_ + word.size();
    while (after < text_.size() && std::isspace(static_cast<unsigned char>(text_[after])) != 0) ++after;
    return after < text_.size() && text_[after] == c;
  }

  static NodePtr node(Node::Kind kind, std::string key, std::string value, std::vector<NodePtr> children) {
    return std::make_shared<Node>(Node{kind, std::move(key), std::move(value), std::move(children)});
  }

  NodePtr fail(const std::string& why) {
    if (error_.empty()) error_ = fmt::format("{} at character {}", why, at_ + 1);
    return nullptr;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

Status Filter::parse(std::string_view text, Filter& filter) {
  filter.root_.reset();
  if (text.empty()) return {};
  if (text.size() > max_bytes) {
    return invalid_argument(fmt::format("the filter has {} bytes; the limit is {}", text.size(), max_bytes));
  }
  Parser parser(text);
  filter.root_ = parser.parse();
  if (filter.root_ == nullptr)
    return invalid_argument(fmt::format("the filter is malformed: {}", parser.error()));
  return {};
}

bool Filter::matches(std::string_view message) const {
  return root_ == nullptr || evaluate(*root_, attributes_of(message));
}

}  // namespace cfd::emulator
