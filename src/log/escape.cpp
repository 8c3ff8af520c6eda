#include "log/escape.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace cfd::log {
namespace {

struct CodePoint {
  std::uint32_t value;
  std::size_t length;  // in bytes; 0: the first byte starts no valid UTF-8 sequence
};

// Decodes strictly: overlong forms, surrogates and values above U+10FFFF are invalid.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {0, 0};
  std::uint32_t value = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {0, 0};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {0, 0};
  return {value, length};
}

// Control characters of both blocks; line and paragraph separators; marks that change the direction of what
// follows, with which a message could make a line look like another.
bool is_hidden(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f;
}

void append(Buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

// Where to cut so that no UTF-8 sequence is split.
std::string_view bounded(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 4 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

void append_rest(Buffer& out, std::size_t shown, std::size_t size) {
  if (shown < size) fmt::format_to(std::back_inserter(out), "… ({} bytes more)", size - shown);
}

void append_hidden(Buffer& out, std::uint32_t c) {
  switch (c) {
    case '\n':
      return append(out, "\\n");
    case '\r':
      return append(out, "\\r");
    case '\t':
      return append(out, "\\t");
    default:
      break;
  }
  if (c < 0x80)
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
  else
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
}

// Copies runs of plain characters at once and gives every other code point, or invalid byte, to `other`.
template <class IsRun, class Other>
void each_run(Buffer& out, std::string_view text, IsRun is_run, Other other) {
  while (!text.empty()) {
    const auto run =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_run) - text.begin());
    append(out, text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;
    const CodePoint c = decode(text);
    other(c, text.substr(0, std::max<std::size_t>(c.length, 1)));
    text.remove_prefix(std::max<std::size_t>(c.length, 1));
  }
}

void append_visible(Buffer& out, std::string_view text, bool escape_space) {
  each_run(
      out, text, [escape_space](char c) { return is_plain(c) && !(escape_space && c == ' '); },
      [&out, escape_space](CodePoint c, std::string_view bytes) {
        if (c.length == 0 || (escape_space && c.value == ' '))
          fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(bytes[0]));
        else if (is_hidden(c.value))
          append_hidden(out, c.value);
        else
          append(out, bytes);
      });
}

}  // namespace

void append_visible(Buffer& out, std::string_view text, std::size_t limit) {
  const std::string_view shown = bounded(text, limit);
  append_visible(out, shown, false);
  append_rest(out, shown.size(), text.size());
}

void append_column(Buffer& out, std::string_view text, std::size_t limit) {
  if (text.empty()) return out.push_back('-');
  const std::string_view shown = bounded(text, limit);
  append_visible(out, shown, true);
  if (shown.size() < text.size()) append(out, "…");
}

void append_json(Buffer& out, std::string_view text, std::size_t limit) {
  const std::string_view shown = bounded(text, limit);
  each_run(
      out, shown, [](char c) { return is_plain(c) && c != '"' && c != '\\'; },
      [&out](CodePoint c, std::string_view bytes) {
        if (c.length == 0)
          append(out, "\xef\xbf\xbd");
        else if (c.value == '"' || c.value == '\\')
          append(out, bytes[0] == '"' ? "\\\"" : "\\\\");
        else if (is_hidden(c.value))
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", c.value);
        else
          append(out, bytes);
      });
  append_rest(out, shown.size(), text.size());
}

}  // namespace cfd::log
