#include "log/format.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "log/clock.hpp"
#include "log/trace.hpp"

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

// Anything of another form names no trace.
void append_trace(Buffer& out, std::string_view project, std::string_view context) {
  if (context.empty()) return;
  const auto trace = parse_trace(context);
  if (!trace) return;
  append(out, ",\"logging.googleapis.com/trace\":\"");
  if (!project.empty()) {
    append(out, "projects/");
    append_json(out, project, column_limit);
    append(out, "/traces/");
  }
  append(out, {trace->id.data(), trace->id.size()});
  if (trace->has_span) {
    append(out, "\",\"logging.googleapis.com/spanId\":\"");
    append(out, {trace->span.data(), trace->span.size()});
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
