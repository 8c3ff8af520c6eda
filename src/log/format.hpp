#pragma once

/// \file
/// One entry of the log as a line, in each of its two formats.

#include <chrono>
#include <string_view>

#include <cfd/log.hpp>

#include "log/context.hpp"
#include "log/escape.hpp"

namespace cfd::log {

/// Bytes of a message that are shown; Cloud Logging takes entries of up to 256 KiB, and a line is at most six
/// times its message, all of it escaped.
inline constexpr std::size_t message_limit = 32U << 10U;

struct Entry {
  Level level;
  std::chrono::system_clock::time_point time;
  std::string_view message;
  Context context;           ///< with the source already decided
  std::string_view project;  ///< JSON only, for the name of the trace; may be empty
};

/// Appends `I 2020-03-13T22:24:35.526Z my-topic 1043501608491014 message` and a line break.
void append_text(Buffer& out, const Entry& entry, bool colour);

/// Appends one JSON object, with the fields that Cloud Logging knows, and a line break.
void append_json(Buffer& out, const Entry& entry);

}  // namespace cfd::log
