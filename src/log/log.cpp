#include <atomic>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <string>

#include <unistd.h>

#include <cfd/log.hpp>

#include "log/context.hpp"
#include "log/format.hpp"
#include "log/sink.hpp"
#include "settings/settings.hpp"

namespace cfd::log {
namespace {

// What the settings come to, worked out again only when they have changed.
struct Config {
  std::uint64_t version = 0;
  Level least = Level::debug;
  bool json = false;
  bool colour = false;
  std::string source;  // third column where no call runs
  std::string project;
  const Config* replaced = nullptr;  // the one before, so that a leak checker finds it
};

// A malformed setting must not keep the log from telling about it: it counts as not set here, and who starts
// up or connects reports it.
std::string find_or(settings::Key key, std::string_view otherwise) {
  try {
    if (auto value = settings::find(key)) return *std::move(value);
  } catch (const std::exception&) {
  }
  return std::string(otherwise);
}

std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : "";
}

Level parse_level(std::string_view name) {
  if (name == "info") return Level::info;
  if (name == "warning") return Level::warning;
  if (name == "error") return Level::error;
  if (name == "off") return Level::off;
  return Level::debug;
}

Config make_config() {
  Config config;
  config.version = settings::version();
  config.least = parse_level(find_or(settings::Key::log_level, "debug"));
  const std::string format = find_or(settings::Key::log_format, "auto");
  const std::string service = environment("K_SERVICE");
  const bool on_cloud_run = !service.empty() || !environment("CLOUD_RUN_WORKER_POOL").empty();
  config.json = format == "json" || (format == "auto" && on_cloud_run);
  config.colour = !config.json && environment("NO_COLOR").empty() && ::isatty(STDERR_FILENO) == 1;
  config.source = find_or(settings::Key::topic, service);
  config.project = find_or(settings::Key::project, "");
  return config;
}

// Logging takes no lock but the one around write(2), so a reader may hold a configuration while it is
// replaced: the few that a program ever makes are kept for ever, which also lets destructors of static
// objects log.
const Config& config() {
  static std::atomic<const Config*> latest{nullptr};
  const Config* now = latest.load(std::memory_order_acquire);
  if (now != nullptr && now->version == settings::version()) return *now;
  static std::mutex& mutex = *new std::mutex;
  const std::lock_guard lock(mutex);
  now = latest.load(std::memory_order_acquire);
  if (now == nullptr || now->version != settings::version()) {
    auto* const made = new Config(make_config());
    made->replaced = now;
    now = made;
    latest.store(now, std::memory_order_release);
  }
  return *now;
}

thread_local Context current;

void write_entry(Level level, std::string_view message, const Context& context) {
  const Config& now = config();
  Entry entry{level, std::chrono::system_clock::now(), message, context, now.project};
  if (entry.context.source.empty()) entry.context.source = now.source;
  Buffer line;
  if (now.json)
    append_json(line, entry);
  else
    append_text(line, entry, now.colour);
  write_line(now.json ? STDOUT_FILENO : STDERR_FILENO, {line.data(), line.size()});
}

}  // namespace

bool enabled(Level level) noexcept {
  try {
    return level >= config().least && level != Level::off;
  } catch (...) {  // no memory for the configuration: better a line too many
    return true;
  }
}

void write(Level level, std::string_view message) noexcept {
  if (!enabled(level)) return;
  try {
    write_entry(level, message, current);
  } catch (...) {  // out of memory: the call that logs goes on
  }
}

void vwrite(Level level, fmt::string_view format, fmt::format_args args) noexcept {
  if (!enabled(level)) return;
  try {
    Buffer message;
    fmt::vformat_to(std::back_inserter(message), format, args);
    write_entry(level, {message.data(), message.size()}, current);
  } catch (const std::exception& error) {
    write(Level::error,
          std::string_view("a log message could not be formatted; what its formatter threw follows"));
    write(Level::error, std::string_view(error.what()));
  } catch (...) {
    write(Level::error, std::string_view("a log message could not be formatted"));
  }
}

const Context& context() noexcept {
  return current;
}

Scope::Scope(const Context& context) noexcept : former_(current) {
  current = context;
}

Scope::~Scope() {
  current = former_;
}

void write_for(std::string_view event_id, Level level, std::string_view message) noexcept {
  Context other = current;
  other.event_id = event_id;
  const Scope scope(other);
  write(level, message);
}

}  // namespace cfd::log
