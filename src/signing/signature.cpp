#include "signing/signature.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/envelope.hpp"
#include "settings/validate.hpp"
#include "signing/hmac.hpp"

namespace cfd::signing {
namespace {

namespace attribute = codec::attribute;

// All that decides what is run, with which arguments; in the order of their bytes. Pub/Sub and its tools add
// attributes of their own on the way, and an unwrapped push brings HTTP's headers along.
constexpr std::array signed_attributes{attribute::call_id,          attribute::format,
                                       attribute::content_encoding, attribute::content_type,
                                       attribute::function,         attribute::signature};

constexpr std::string_view purpose = "cfd-hmac-1";

// How far the caller's clock may be ahead.
constexpr std::int64_t leeway_seconds = 60;

void append(std::string& out, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "{}:{},", text.size(), text);
}

std::string_view value_of(const Content& content, std::string_view name) {
  for (const Attribute& a : content.attributes)
    if (a.key == name) return a.value;
  return {};
}

Mac mac_of(const Key& key, const Content& content, std::string_view time) {
  const std::string head = canonical_head(content, key.id, time);
  const std::array<std::string_view, 2> parts{head, content.data};
  return hmac().compute(key.bytes, parts);
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool parse_mac(std::string_view hex, Mac& mac) {
  if (hex.size() != 2 * mac.size()) return false;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    mac[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

std::string check_age(const Keys& keys, std::int64_t signed_at, std::int64_t now) {
  if (signed_at > now + leeway_seconds) return "its signature is from the future: compare the clocks";
  if (keys.max_age && now - signed_at > std::chrono::ceil<std::chrono::seconds>(*keys.max_age).count())
    return fmt::format("it was signed {} s ago, longer than CLOUD_FUNCTIONS_DISPATCH_SIGNING_MAX_AGE",
                       now - signed_at);
  return {};
}

}  // namespace

std::string canonical_head(const Content& content, std::string_view key_id, std::string_view time) {
  std::string head;
  append(head, purpose);
  append(head, key_id);
  append(head, time);
  for (const std::string_view name : signed_attributes) {
    const std::string_view value = value_of(content, name);
    if (value.empty()) continue;
    append(head, name);
    append(head, value);
  }
  append(head, "");  // no attribute has this name
  append(head, content.ordering_key);
  return head;
}

std::string sign(const Keys& keys, const Content& content, std::int64_t time) {
  const Key& key = keys.all.front();
  const std::string seconds = std::to_string(time);
  std::string value = fmt::format("{};{};", key.id, seconds);
  for (const unsigned char byte : mac_of(key, content, seconds))
    fmt::format_to(std::back_inserter(value), "{:02x}", byte);
  return value;
}

std::string verify(const Keys& keys, const Content& content, std::int64_t now) {
  const std::string_view value = value_of(content, attribute::hmac);
  if (value.empty()) return "it is not signed, and this worker executes signed calls only";
  const std::size_t first = value.find(';');
  const std::size_t second = first == std::string_view::npos ? first : value.find(';', first + 1);
  Mac given{};
  if (second == std::string_view::npos || !parse_mac(value.substr(second + 1), given))
    return "its signature is malformed";
  const std::string_view id = value.substr(0, first);
  const std::string_view time = value.substr(first + 1, second - first - 1);
  const auto signed_at = settings::parse_number(time);
  if (!signed_at || *signed_at > 1ULL << 40U) return "its signature is malformed";
  const auto key =
      std::find_if(keys.all.begin(), keys.all.end(), [id](const Key& each) { return each.id == id; });
  if (key == keys.all.end())
    return fmt::format("it is signed with key \"{}\", which this worker does not have", id.substr(0, 40));
  if (!hmac().equal(mac_of(*key, content, time), given))
    return fmt::format("its signature with key \"{}\" is wrong", id);
  return check_age(keys, static_cast<std::int64_t>(*signed_at), now);
}

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace cfd::signing
