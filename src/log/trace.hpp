#pragma once

/// \file
/// The trace that a call belongs to, in the two forms in which Google's services name it. What is not valid
/// names no trace, and is to hide none that is.

#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace cfd::log {

/// A valid trace. Both ids are lower-case hex, as Cloud Logging wants them.
struct Trace {
  std::array<char, 32> id{};
  std::array<char, 16> span{};
  bool has_span = false;
  bool sampled = false;
};

/// Reads `00-<32 hex>-<16 hex>-<2 hex>`, by the rules of W3C's Trace Context, those for versions to come
/// among them. Pure.
std::optional<Trace> parse_traceparent(std::string_view text) noexcept;

/// Reads the value of X-Cloud-Trace-Context, `<32 hex>[/<decimal span id>][;o=<options>]`. Pure.
std::optional<Trace> parse_cloud_trace_context(std::string_view text) noexcept;

/// Either form. Pure.
std::optional<Trace> parse_trace(std::string_view text) noexcept;

/// The form of W3C, `00-<id>-<span>-<flags>`, which wants a span: where the trace names none, it is made of the
/// trace's id. Pure.
std::array<char, 55> to_traceparent(const Trace& trace) noexcept;

/// The first of `candidates` that names a trace in either form; empty where none does. Pure.
std::string_view first_trace(std::initializer_list<std::string_view> candidates) noexcept;

}  // namespace cfd::log
