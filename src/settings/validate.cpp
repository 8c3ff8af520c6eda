#include "settings/validate.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace cfd::settings {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

struct Unit {
  std::string_view suffix;
  std::uint64_t milliseconds;
};

// Longest suffix first: "ms" also ends in "s".
constexpr std::array<Unit, 4> units{{{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}}};

// Far above any range in the table, and far below where the arithmetic on it could overflow.
constexpr std::uint64_t longest_duration_ms = 1'000ULL * 365 * 24 * 3'600'000;

}  // namespace

Fault check_project(std::string_view value) {
  const bool characters = std::all_of(
      value.begin(), value.end(), [](char c) { return is_lower(c) || is_digit(c) || is_one_of(c, "-.:"); });
  if (!value.empty() && value.size() <= 63 && characters && !is_one_of(value.front(), "-.:") &&
      !is_one_of(value.back(), "-.:"))
    return {};
  return "must be a project id: lower-case letters, digits and hyphens, such as my-project-123 "
         "(`gcloud projects list` shows yours)";
}

Fault check_resource_id(std::string_view value) {
  if (value.find('/') != std::string_view::npos)
    return "must be the short id, such as my-topic, without projects/… in front of it";
  const bool characters = std::all_of(value.begin(), value.end(), [](char c) {
    return is_letter(c) || is_digit(c) || is_one_of(c, "-_.~+%");
  });
  if (value.size() < 3 || value.size() > 255 || !is_letter(value.front()) || !characters)
    return "must be 3 to 255 of the characters A-Z a-z 0-9 - _ . ~ + %, a letter first";
  if (value.starts_with("goog")) return "must not start with goog, which Pub/Sub keeps for itself";
  return {};
}

Fault check_host_port(std::string_view value) {
  Fault fault = "must be host:port, such as localhost:8085, without http:// in front of it";
  const std::size_t colon = value.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return fault;
  const std::string_view host = value.substr(0, colon);
  const auto port = parse_number(value.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return fault;
  if (host.size() > 253) return fault;
  if (host.front() == '[') {
    const bool address =
        host.size() > 2 && host.back() == ']' && std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
          return is_digit(c) || is_one_of(c, "abcdefABCDEF:.%") || is_letter(c);
        });
    return address ? Fault{} : fault;
  }
  const bool name = std::all_of(host.begin(), host.end(),
                                [](char c) { return is_letter(c) || is_digit(c) || is_one_of(c, "-._"); });
  return name ? Fault{} : fault;
}

Fault check_number(std::string_view value, std::uint64_t least, std::uint64_t most) {
  const auto number = parse_number(value);
  if (number && *number >= least && *number <= most) return {};
  return fmt::format("must be a whole number from {} to {}", least, most);
}

Fault check_duration(std::string_view value, std::chrono::milliseconds least,
                     std::chrono::milliseconds most) {
  const auto duration = parse_duration(value);
  if (duration && *duration >= least && *duration <= most) return {};
  return fmt::format("must be a duration from {} to {}, written as 500ms, 10s or 2m", format_duration(least),
                     format_duration(most));
}

std::optional<std::uint64_t> parse_number(std::string_view value) {
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stopped != end || value.empty()) return std::nullopt;
  return number;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view value) {
  for (const Unit& unit : units) {
    if (!value.ends_with(unit.suffix)) continue;
    const auto count = parse_number(value.substr(0, value.size() - unit.suffix.size()));
    if (!count || *count > longest_duration_ms / unit.milliseconds) return std::nullopt;
    return std::chrono::milliseconds(*count * unit.milliseconds);
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds value) {
  const std::int64_t ms = value.count();
  if (ms != 0 && ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms != 0 && ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  if (ms % 1'000 == 0) return fmt::format("{}s", ms / 1'000);
  return fmt::format("{}ms", ms);
}

}  // namespace cfd::settings
