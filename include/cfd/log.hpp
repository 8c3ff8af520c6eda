#pragma once

/// \file
/// The log of dispatched functions: one line an entry, on a terminal in the form
/// `I 2020-03-13T22:24:35.526Z my-topic 1043501608491013 a is just right: hooray!` on standard error, or, on
/// Cloud Run (`K_SERVICE` or `CLOUD_RUN_WORKER_POOL` set) and with
/// `CLOUD_FUNCTIONS_DISPATCH_LOG_FORMAT=json`, one JSON object a line on standard output, with the fields of
/// Cloud Logging's structured format.
///
/// Every function here may be called from any thread at any time; lines are written whole.

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

namespace cfd::log {

enum class Level : std::uint8_t { debug, info, warning, error, off };

/// Whether an entry of this level is written at all: `CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL`, by default all
/// are.
bool enabled(Level level) noexcept;

/// Writes one entry as it is. Line breaks inside the message are escaped. Never throws: a log must not fail a
/// call.
void write(Level level, std::string_view message) noexcept;

/// Formats and writes one entry.
void vwrite(Level level, fmt::string_view format, fmt::format_args args) noexcept;

/// Writes one entry, with fmt's format strings (https://fmt.dev), checked at compile time.
template <class... T>
void debug(fmt::format_string<T...> format, T&&... args) {
  if (enabled(Level::debug)) vwrite(Level::debug, format, fmt::make_format_args(args...));
}

/// \copydoc debug
template <class... T>
void info(fmt::format_string<T...> format, T&&... args) {
  if (enabled(Level::info)) vwrite(Level::info, format, fmt::make_format_args(args...));
}

/// \copydoc debug
template <class... T>
void warning(fmt::format_string<T...> format, T&&... args) {
  if (enabled(Level::warning)) vwrite(Level::warning, format, fmt::make_format_args(args...));
}

/// \copydoc debug
template <class... T>
void error(fmt::format_string<T...> format, T&&... args) {
  if (enabled(Level::error)) vwrite(Level::error, format, fmt::make_format_args(args...));
}

}  // namespace cfd::log
