#include "log/format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "log/clock.hpp"

namespace cfd::log {
namespace {

// Ids and names are bounded where they are made; what is longer than this is a forgery.
constexpr std::size_t column_limit = 300;

struct LevelForm {
  char letter;
  std::string_view colour;  // ANSI, as most loggers choose them
  std::string_view severity;
};

constexpr std::array<LevelForm, 4> forms{{{'D', "\x1b[36m", "DEBUG"},
                                          {'I', "\x1b[32m", "INFO"},
                                          {'W', "\x1b[33m", "WARNING"},
                                          {'E', "\x1b[31m", "ERROR"}}};

const LevelForm& form_of(Level level) {
  return forms[std::min(static_cast<std::size_t>(level), forms.size() - 1)];
}

void append(Buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

struct Trace {
  std::string id;
  std::string span;  // empty where it is not known
  bool sampled = false;
};

// W3C: 00-<32 hex trace id>-<16 hex span id>-<2 hex flags>.
std::optional<Trace> parse_traceparent(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view id = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_hex(id) || !is_hex(span) || !is_hex(flags)) return std::nullopt;
  return Trace{std::string(id), std::string(span),
               std::string_view("13579bdf").find(flags[1]) != std::string_view::npos};
}

// Google: <32 hex trace id>[/<decimal span id>[;o=<options>]].
std::optional<Trace> parse_cloud_trace_context(std::string_view text) {
  if (text.size() < 32 || !is_hex(text.substr(0, 32))) return std::nullopt;
  Trace trace{std::string(text.substr(0, 32)), {}, false};
  text.remove_prefix(32);
  if (text.empty()) return trace;
  if (text[0] != '/') return std::nullopt;
  text.remove_prefix(1);
  std::uint64_t span = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), span);
  if (error != std::errc()) return std::nullopt;
  if (span != 0) trace.span = fmt::format("{:016x}", span);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  trace.sampled = text == ";o=1" || text == ";o=3";  // bit 0, as bit 1 says something else
  return trace;
}

// Anything of another form names no trace.
void append_trace(Buffer& out, std::string_view project, std::string_view context) {
  if (context.empty()) return;
  auto trace = parse_traceparent(context);
  if (!trace) trace = parse_cloud_trace_context(context);
  if (!trace) return;
  append(out, ",\"logging.googleapis.com/trace\":\"");
  if (!project.empty()) {
    append(out, "projects/");
    append_json(out, project, column_limit);
    append(out, "/traces/");
  }
  append(out, trace->id);
  if (!trace->span.empty()) {
    append(out, "\",\"logging.googleapis.com/spanId\":\"");
    append(out, trace->span);
  }
  append(out, trace->sampled ? "\",\"logging.googleapis.com/trace_sampled\":true"
                             : "\",\"logging.googleapis.com/trace_sampled\":false");
}

void append_labels(Buffer& out, const Context& context) {
  std::string_view before = ",\"logging.googleapis.com/labels\":{\"";
  const auto label = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    append(out, std::exchange(before, ",\""));
    append(out, name);
    append(out, "\":\"");
    append_json(out, value, column_limit);
    out.push_back('"');
  };
  label("source", context.source);
  label("event_id", context.event_id);
  label("function", context.function);
  label("execution_id", context.execution_id);
  if (context.attempt > 0) label("attempt", fmt::format_int(context.attempt).str());
  if (before == ",\"") out.push_back('}');
}

}  // namespace

void append_text(Buffer& out, const Entry& entry, bool colour) {
  const LevelForm& form = form_of(entry.level);
  if (colour) append(out, form.colour);
  out.push_back(form.letter);
  if (colour) append(out, "\x1b[0m");
  out.push_back(' ');
  append(out, Timestamp(entry.time).text());
  out.push_back(' ');
  append_column(out, entry.context.source, column_limit);
  out.push_back(' ');
  append_column(out, entry.context.event_id, column_limit);
  out.push_back(' ');
  append_visible(out, entry.message, message_limit);
  out.push_back('\n');
}

void append_json(Buffer& out, const Entry& entry) {
  append(out, "{\"severity\":\"");
  append(out, form_of(entry.level).severity);
  append(out, "\",\"time\":\"");
  append(out, Timestamp(entry.time).text());
  append(out, "\",\"message\":\"");
  append_json(out, entry.message, message_limit);
  out.push_back('"');
  if (entry.context.duration_ms >= 0) {
    append(out, ",\"duration_ms\":");
    append(out, fmt::format_int(entry.context.duration_ms).str());
  }
  append_trace(out, entry.project, entry.context.trace);
  append_labels(out, entry.context);
  append(out, "}\n");
}

}  // namespace cfd::log
