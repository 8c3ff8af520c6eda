#include "emulator/preview.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <cfd/detail/reader.hpp>
#include <cfd/value.hpp>

#include "codec/compression.hpp"
#include "codec/envelope.hpp"
#include "codec/json_arguments.hpp"
#include "emulator/message.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

namespace attribute = codec::attribute;

constexpr std::uint32_t data_field = 1, ordering_key_field = 5, bytes_type = 2;
constexpr std::size_t max_call_bytes = std::size_t{256}
                                       << 10U;  ///< of arguments, before and after compression
constexpr std::size_t max_shown = 2'000;        ///< characters of a call or of text
constexpr std::size_t max_hex = 512;            ///< bytes shown as hexadecimal

/// Cuts between characters.
std::string cut(std::string text, std::size_t limit, bool& truncated) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  text.resize(limit);
  truncated = true;
  return text;
}

bool is_text(std::string_view data) {
  return wire::is_utf8(data) && std::ranges::none_of(data, [](char c) {
           const auto code = static_cast<unsigned char>(c);
           return (code < 0x20 && c != '\n' && c != '\r' && c != '\t') || code == 0x7F;
         });
}

std::string hex(std::string_view data) {
  std::string digits;
  for (const char c : data)
    fmt::format_to(std::back_inserter(digits), "{:02x} ", static_cast<unsigned char>(c));
  if (!digits.empty()) digits.pop_back();
  return digits;
}

/// `[[args...], {kwargs...}]` as `1, "a", key=2`. False where it is something else.
bool format_arguments(std::string_view arguments, std::string& formatted) {
  detail::Reader reader(arguments);
  Value value;
  if (!detail::read_value(reader, value) || !reader.at_end()) return false;
  const auto* parts = value.get_if<Value::Array>();
  if (parts == nullptr || parts->size() != 2) return false;
  const auto* args = (*parts)[0].get_if<Value::Array>();
  const auto* kwargs = (*parts)[1].get_if<Value::Map>();
  if (args == nullptr || kwargs == nullptr) return false;
  const auto add = [&](std::string_view text) {
    if (!formatted.empty()) formatted += ", ";
    formatted += text;
  };
  for (const auto& argument : *args) add(to_string(argument));
  for (const auto& [key, argument] : *kwargs) {
    const auto* name = key.get_if<std::string>();
    if (name == nullptr) return false;
    add(*name + "=" + to_string(argument));
  }
  return true;
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

std::string_view find(const Attributes& attributes, std::string_view key) {
  const auto found = std::ranges::find(attributes, key, &Attributes::value_type::first);
  return found == attributes.end() ? std::string_view{} : found->second;
}

/// Empty where the message is no call.
std::string call_of(std::string_view data, const Attributes& attributes) {
  if (data.size() > max_call_bytes) return {};
  std::string function(find(attributes, attribute::function));
  const auto format = find(attributes, attribute::format);
  const auto type = find(attributes, attribute::content_type);
  std::string storage;
  if (const auto encoding = find(attributes, attribute::content_encoding);
      !encoding.empty() && encoding != "identity") {
    if (!codec::decompress(encoding, data, max_call_bytes, storage).empty()) return {};
    data = storage;
  }
  codec::JsonCall json;
  if (type == codec::json_type || (format.empty() && type.empty())) {
    if (!data.starts_with('{') || !codec::parse_json_call(data, json).empty()) return {};
    function = json.function;
    data = json.arguments;
  }
  std::string arguments;
  if (function.empty() || !format_arguments(data, arguments)) return {};
  return function + "(" + arguments + ")";
}

}  // namespace

std::string_view data_of(std::string_view message) {
  wire::Reader reader(message);
  std::string_view data;
  for (wire::Field field; reader.next(field);) {
    if (field.number == data_field && field.type == bytes_type) data = field.bytes;
  }
  return data;
}

Preview preview_of(std::string_view message) {
  Preview preview;
  const auto data = data_of(message);
  preview.size = data.size();
  for (const auto& [key, value] : attributes_of(message)) preview.attributes.emplace_back(key, value);
  wire::Reader reader(message);
  for (wire::Field field; reader.next(field);) {
    if (field.number == ordering_key_field && field.type == bytes_type) preview.ordering_key = field.bytes;
  }
  preview.call = call_of(data, preview.attributes);
  if (wire::is_utf8(preview.call) && !preview.call.empty()) {
    preview.call = cut(std::move(preview.call), max_shown, preview.truncated);
    return preview;
  }
  preview.call.clear();
  // A view of the text may end within a character; what is not looked at does not matter.
  bool cut_short = false;
  const auto beginning = cut(std::string(data.substr(0, max_shown + 4)), max_shown, cut_short);
  preview.binary = !is_text(beginning);
  preview.text = preview.binary ? hex(data.substr(0, max_hex)) : beginning;
  preview.truncated = preview.binary ? data.size() > max_hex : cut_short;
  return preview;
}

}  // namespace cfd::emulator
