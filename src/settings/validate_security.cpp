// The checks of settings that say who may call, and what is remembered of calls.
#include <algorithm>
#include <vector>

#include "settings/validate.hpp"

namespace cfd::settings {
namespace {

constexpr std::size_t longest_line = 1'000;
constexpr std::size_t most_keys = 16;
constexpr std::size_t least_digits = 32;  // 16 bytes
constexpr std::size_t most_digits = 128;  // one block of SHA-256; a longer key adds nothing

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

bool is_path(std::string_view value) {
  return !value.empty() && check_one_line(value).empty();
}

bool is_redis_address(std::string_view value) {
  if (const std::size_t at = value.rfind('@'); at != std::string_view::npos) {
    if (!value.starts_with(':') || at < 2) return false;
    value.remove_prefix(at + 1);
  }
  const std::size_t slash = std::min(value.find('/'), value.size());
  const std::string_view database = value.substr(std::min(slash + 1, value.size()));
  return check_host_port(value.substr(0, slash)).empty() &&
         (slash == value.size() || check_number(database, 0, 65'535).empty());
}

bool is_signing_key(std::string_view entry) {
  const std::size_t colon = entry.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 40) return false;
  const std::string_view id = entry.substr(0, colon);
  const std::string_view key = entry.substr(colon + 1);
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; }) &&
         key.size() >= least_digits && key.size() <= most_digits && key.size() % 2 == 0 &&
         std::all_of(key.begin(), key.end(), is_hex);
}

}  // namespace

Fault check_one_line(std::string_view value) {
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20U && static_cast<unsigned char>(c) != 0x7FU;
  });
  if (value.size() <= longest_line && printable) return {};
  return "must be one line of at most 1000 bytes";
}

Fault check_store(std::string_view value) {
  const auto after = [value](std::string_view prefix) { return value.substr(prefix.size()); };
  if (value == "memory") return {};
  if (value.starts_with("memory:")) return check_number(after("memory:"), 1, 100'000'000);
  if (value.starts_with("sqlite:") && is_path(after("sqlite:"))) return {};
  if (value.starts_with("redis://") && is_redis_address(after("redis://"))) return {};
  if (value.starts_with("redis+unix://") && is_path(after("redis+unix://"))) return {};
  return "must be memory, memory:ENTRIES, sqlite:PATH, redis://[:PASSWORD@]HOST:PORT[/DB] or "
         "redis+unix://PATH";
}

Fault check_email(std::string_view value) {
  const std::size_t at = value.find('@');
  if (at != 0 && at != std::string_view::npos && at + 1 < value.size() &&
      value.find('@', at + 1) == std::string_view::npos && value.find(' ') == std::string_view::npos &&
      check_one_line(value).empty())
    return {};
  return "must be the e-mail address of a service account, such as "
         "invoker@my-project.iam.gserviceaccount.com";
}

Fault check_key_url(std::string_view value) {
  if (!check_one_line(value).empty()) return check_one_line(value);
  if (value.starts_with("https://") && value.size() > 8) return {};
  if (value.starts_with("file:/")) return {};
  for (const std::string_view here : {"http://localhost", "http://127.0.0.1", "http://[::1]"})
    if (value.starts_with(here) &&
        (value.size() == here.size() || value[here.size()] == ':' || value[here.size()] == '/'))
      return {};
  return "must begin with https://, with file:/, or with http://localhost (plain text from elsewhere could "
         "be "
         "changed on its way)";
}

Fault check_signing_keys(std::string_view value) {
  if (value.starts_with("file:") && is_path(value.substr(5))) return {};
  const auto entries = split(value, ',');
  if (entries.size() <= most_keys && std::all_of(entries.begin(), entries.end(), is_signing_key)) return {};
  return "must be up to 16 keys ID:HEX, separated by commas, each of 16 to 64 bytes (`openssl rand -hex 32` "
         "makes one), or file:PATH";
}

}  // namespace cfd::settings
