#include "log/trace.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace cfd::log {
namespace {

constexpr std::size_t id_size = 32;
constexpr std::size_t whole_size = 55;  // of a traceparent of version 00

// -1 where it is no lower-case digit.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

char lower(char c) {
  return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return digit(c) >= 0; });
}

// An id of zeros means that there is none.
bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// Takes a decimal number off the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

void set_span(Trace& trace, std::uint64_t number) {
  trace.has_span = number != 0;
  for (std::size_t i = trace.span.size(); i-- > 0; number /= 16)
    trace.span[i] = "0123456789abcdef"[number % 16];
}

}  // namespace

std::optional<Trace> parse_traceparent(std::string_view text) noexcept {
  if (text.size() < whole_size || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view id = text.substr(3, id_size);
  const std::string_view span = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_hex(version) || version == "ff" || !is_id(id) || !is_id(span) || !is_hex(flags))
    return std::nullopt;
  // A later version may say more.
  if (text.size() > whole_size && (version == "00" || text[whole_size] != '-')) return std::nullopt;
  Trace trace;
  std::copy(id.begin(), id.end(), trace.id.begin());
  std::copy(span.begin(), span.end(), trace.span.begin());
  trace.has_span = true;
  trace.sampled = digit(flags[1]) % 2 == 1;
  return trace;
}

std::optional<Trace> parse_cloud_trace_context(std::string_view text) noexcept {
  if (text.size() < id_size) return std::nullopt;
  Trace trace;
  std::transform(text.begin(), text.begin() + id_size, trace.id.begin(), lower);
  if (!is_id({trace.id.data(), trace.id.size()})) return std::nullopt;
  text.remove_prefix(id_size);
  if (!text.empty() && text[0] == '/') {
    text.remove_prefix(1);
    const auto span = take_number(text);
    if (!span) return std::nullopt;
    set_span(trace, *span);
  }
  if (text.empty()) return trace;
  if (text.substr(0, 3) != ";o=") return std::nullopt;
  text.remove_prefix(3);
  const auto options = take_number(text);
  if (!options || !text.empty()) return std::nullopt;
  trace.sampled = *options % 2 == 1;  // bit 0, as bit 1 says something else
  return trace;
}

std::optional<Trace> parse_trace(std::string_view text) noexcept {
  auto trace = parse_traceparent(text);
  return trace ? trace : parse_cloud_trace_context(text);
}

std::array<char, 55> to_traceparent(const Trace& trace) noexcept {
  std::array<char, 55> text{'0', '0', '-'};
  char* at = std::copy(trace.id.begin(), trace.id.end(), text.begin() + 3);
  *at++ = '-';
  if (trace.has_span) {
    at = std::copy(trace.span.begin(), trace.span.end(), at);
  } else {
    // One of the halves is not all zeros, or it would be no id.
    const std::string_view half(trace.id.data(), 16);
    at = std::copy_n(trace.id.begin() + (is_id(half) ? 0 : 16), 16, at);
  }
  *at++ = '-';
  *at++ = '0';
  *at = trace.sampled ? '1' : '0';
  return text;
}

std::string_view first_trace(std::initializer_list<std::string_view> candidates) noexcept {
  for (const std::string_view candidate : candidates)
    if (parse_trace(candidate)) return candidate;
  return {};
}

}  // namespace cfd::log
