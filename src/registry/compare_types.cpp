#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "registry/compare.hpp"
#include "registry/type_words.hpp"

namespace cfd::registry {

namespace {

struct Integer {
  bool is_signed;
  unsigned bits;
};

std::optional<Integer> as_integer(const TypeWords& type) {
  std::string_view name = type.name;
  const bool is_unsigned = name.starts_with("uint");
  if (!is_unsigned && !name.starts_with("int")) return std::nullopt;
  name.remove_prefix(is_unsigned ? 4 : 3);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), bits);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return Integer{!is_unsigned, bits};
}

unsigned float_bits(const TypeWords& type) {
  if (type.name == "float32") return 32;
  if (type.name == "float64") return 64;
  return type.name == "float80" ? 80 : 0;
}

bool can_be_nil(const TypeWords& type) {
  return type.name == "optional" || type.name == "nil" || type.name == "any";
}

class Comparer {
 public:
  explicit Comparer(std::vector<std::pair<Severity, std::string>>& reasons) : reasons_(reasons) {}

  Severity compare(const TypeWords& from, const TypeWords& to) {
    if (from.text == to.text || to.name == "any") return Severity::note;
    if (from.name == "any")
      return say(Severity::warning, fmt::format("any value is sent where {} is expected", to.text));
    if (to.name == "optional") return compare_optional(from, to);
    if (from.name == "optional") {
      const auto worst = compare(from.parts.at(0), to);
      return std::max(worst, say(Severity::warning,
                                 fmt::format("{} may be nil where {} is expected", from.text, to.text)));
    }
    if (const auto a = as_integer(from), b = as_integer(to); a && b)
      return compare_integers(from, *a, to, *b);
    if (const auto a = as_integer(from); a && float_bits(to) != 0) return compare_to_float(from, *a, to);
    if (float_bits(from) != 0 && float_bits(to) != 0) return compare_floats(from, to);
    if (from.name == "{" && to.name == "{") return compare_prefix(from, to);
    if (from.name == "list" && to.name == "bytes" && from.parts.at(0).name == "uint8") return Severity::note;
    if (from.name != to.name) return differ(from, to);
    if (from.name == "variant") return compare_variants(from, to);
    if (from.parts.size() != to.parts.size()) return differ(from, to);
    if (from.name == "duration" || from.name == "array") {
      if (from.parts.at(1).text != to.parts.at(1).text) return differ(from, to);
      return compare(from.parts[0], to.parts[0]);
    }
    if (from.parts.empty()) return differ(from, to);
    return compare_parts(from, to, from.parts.size());
  }

 private:
  Severity say(Severity severity, std::string reason) {
    reasons_.emplace_back(severity, std::move(reason));
    return severity;
  }

  Severity differ(const TypeWords& from, const TypeWords& to) {
    return say(Severity::error, fmt::format("{} is sent where {} is expected", from.text, to.text));
  }

  /// Nothing but the value itself tells an optional of it from it, unless the value can be nil too.
  Severity compare_optional(const TypeWords& from, const TypeWords& to) {
    const TypeWords& inner = to.parts.at(0);
    if (from.name == "optional") {
      if (can_be_nil(from.parts.at(0)) != can_be_nil(inner)) return differ(from, to);
      return compare(from.parts[0], inner);
    }
    return can_be_nil(inner) ? differ(from, to) : compare(from, inner);
  }

  Severity compare_integers(const TypeWords& from, Integer a, const TypeWords& to, Integer b) {
    const bool fits = a.is_signed == b.is_signed ? a.bits <= b.bits : !a.is_signed && a.bits < b.bits;
    if (fits) return Severity::note;
    return say(Severity::warning, fmt::format("{} is sent where {} is expected: values that do not fit fail",
                                              from.text, to.text));
  }

  Severity compare_to_float(const TypeWords& from, Integer a, const TypeWords& to) {
    const unsigned exact = float_bits(to) == 64 ? 53 : float_bits(to) == 32 ? 24 : 64;
    if (a.bits <= exact) return Severity::note;
    return say(Severity::warning,
               fmt::format("{} is sent where {} is expected: values that it does not hold exactly fail",
                           from.text, to.text));
  }

  Severity compare_floats(const TypeWords& from, const TypeWords& to) {
    if (float_bits(from) <= float_bits(to)) return Severity::note;
    return say(
        Severity::warning,
        fmt::format("{} is sent where {} is expected: values are rounded or do not fit", from.text, to.text));
  }

  Severity compare_prefix(const TypeWords& from, const TypeWords& to) {
    if (from.parts.size() > to.parts.size())
      say(Severity::note,
          fmt::format("{} field(s) of {} are passed over", from.parts.size() - to.parts.size(), from.text));
    return compare_parts(from, to, std::min(from.parts.size(), to.parts.size()));
  }

  Severity compare_variants(const TypeWords& from, const TypeWords& to) {
    Severity worst = compare_parts(from, to, std::min(from.parts.size(), to.parts.size()));
    if (from.parts.size() > to.parts.size())
      worst = std::max(worst, say(Severity::warning,
                                  fmt::format("alternatives of {} are not known to {}", from.text, to.text)));
    return worst;
  }

  Severity compare_parts(const TypeWords& from, const TypeWords& to, std::size_t count) {
    Severity worst = Severity::note;
    for (std::size_t i = 0; i < count; ++i) worst = std::max(worst, compare(from.parts[i], to.parts[i]));
    return worst;
  }

  std::vector<std::pair<Severity, std::string>>& reasons_;
};

}  // namespace

Severity compare_types(std::string_view from, std::string_view to,
                       std::vector<std::pair<Severity, std::string>>& reasons) {
  const auto a = parse_type(from);
  const auto b = parse_type(to);
  if (a && b) return Comparer(reasons).compare(*a, *b);
  if (from == to) return Severity::note;
  reasons.emplace_back(Severity::error, fmt::format("{} is sent where {} is expected", from, to));
  return Severity::error;
}

}  // namespace cfd::registry
