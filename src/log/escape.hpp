#pragma once

/// \file
/// What makes a line of the log safe to show and to parse, whatever bytes a message brings along.

#include <cstddef>
#include <string_view>

#include <fmt/format.h>

namespace cfd::log {

using Buffer = fmt::memory_buffer;

/// Appends `text` as one visible line: control characters, the characters that start a new line or reorder
/// text, and bytes that are no UTF-8 become `\n`, `\t`, `\x1b`, `\u2028`. At most `limit` bytes of `text` are
/// read; what is cut is said, as `… (12 bytes more)`.
void append_visible(Buffer& out, std::string_view text, std::size_t limit);

/// As append_visible(), for a column: spaces are escaped too, and an empty text becomes `-`.
void append_column(Buffer& out, std::string_view text, std::size_t limit);

/// Appends `text` as the inside of a JSON string. Bytes that are no UTF-8 become U+FFFD. Bounded as
/// append_visible().
void append_json(Buffer& out, std::string_view text, std::size_t limit);

}  // namespace cfd::log
