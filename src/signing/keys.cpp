#include "signing/keys.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>

#include <fmt/format.h>

#include <cfd/error.hpp>

#include "settings/settings.hpp"
#include "settings/validate.hpp"
#include "signing/hmac.hpp"

namespace cfd::signing {
namespace {

constinit Hmac linked{};

constexpr std::size_t largest_file = 64U << 10U;

int digit(char c) {
  if (c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(digit(digits[i]) * 16 + digit(digits[i + 1]));
  return bytes;
}

// The file's lines as one line of the setting.
std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(largest_file, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || text.empty())
    throw ConfigError(fmt::format(
        "CLOUD_FUNCTIONS_DISPATCH_SIGNING_KEYS names {}, which cannot be read or is empty", path));
  std::string line;
  for (const char c : text) {
    const bool separates = c == '\n' || c == '\r' || c == ',' || c == ' ';
    if (!separates)
      line += c;
    else if (!line.empty() && line.back() != ',')
      line += ',';
  }
  if (!line.empty() && line.back() == ',') line.pop_back();
  if (line.starts_with("file:") || !settings::check_signing_keys(line).empty())
    throw ConfigError(fmt::format("CLOUD_FUNCTIONS_DISPATCH_SIGNING_KEYS: the content of {} {}", path,
                                  settings::check_signing_keys("")));
  return line;
}

const Keys* read_settings() {
  const auto setting = settings::find(settings::Key::signing_keys);
  if (!setting) return nullptr;
  if (linked.compute == nullptr)
    throw ConfigError(
        "CLOUD_FUNCTIONS_DISPATCH_SIGNING_KEYS is set, and this program links nothing to sign with: link the "
        "CMake target cfd::auth, too");
  auto* keys = new Keys{parse_keys(*setting), {}};
  if (const auto age = settings::find(settings::Key::signing_max_age))
    keys->max_age = settings::parse_duration(*age);
  return keys;
}

// Keys are never freed: a call may be using them until the very end, and they change in tests only.
struct State {
  std::mutex mutex;
  std::atomic<std::uint64_t> version{0};
  std::atomic<const Keys*> current{nullptr};
};
constinit State state;

}  // namespace

void set_hmac(Hmac hmac) noexcept {
  linked = hmac;
}

Hmac hmac() noexcept {
  return linked;
}

const Keys* keys() {
  const std::uint64_t version = settings::version();
  if (state.version.load(std::memory_order_acquire) == version) [[likely]]
    return state.current.load(std::memory_order_relaxed);
  const std::lock_guard lock(state.mutex);
  const Keys* fresh = read_settings();
  state.current.store(fresh, std::memory_order_relaxed);
  state.version.store(version, std::memory_order_release);
  return fresh;
}

std::vector<Key> parse_keys(std::string_view setting) {
  std::string text(setting);
  if (setting.starts_with("file:")) text = read_file(text.substr(5));
  std::vector<Key> keys;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const std::size_t colon = text.find(':', from);
    keys.push_back({text.substr(from, colon - from),
                    from_hex(std::string_view(text).substr(colon + 1, to - colon - 1))});
    from = to + 1;
  }
  return keys;
}

}  // namespace cfd::signing
