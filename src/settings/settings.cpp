#include "settings/settings.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>

#include <fmt/format.h>

#include <cfd/error.hpp>

#include "settings/validate.hpp"

namespace cfd::settings {
namespace {

using namespace std::chrono_literals;

struct Row {
  Key key;
  std::string_view variable;
  std::optional<std::string_view> built_in;
  Fault (*check)(std::string_view);
  std::string_view help;
  std::string (*shown)(std::string_view) = nullptr;  // for logs and errors, where the value holds a secret
};

Fault check_one_of(std::string_view value, std::string_view choices) {
  std::size_t from = 0;
  while (from <= choices.size()) {
    const std::size_t comma = std::min(choices.find(", ", from), choices.size());
    if (choices.substr(from, comma - from) == value) return {};
    from = comma + 2;
  }
  return fmt::format("must be one of {}", choices);
}

// A URL's password is not for logs.
std::string without_password(std::string_view value) {
  const std::size_t from = value.find("://");
  const std::size_t to = value.rfind('@');
  if (from == std::string_view::npos || to == std::string_view::npos) return std::string(value);
  return fmt::format("{}(secret){}", value.substr(0, from + 3), value.substr(to));
}

constexpr auto count_of_settings = static_cast<std::size_t>(Key::count_);

const std::array<Row, count_of_settings>& table() {
  static const std::array<Row, count_of_settings> rows{{
      {Key::project, "GCP_PROJECT", std::nullopt, check_project, "project of the topic"},
      {Key::topic, "CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC", std::nullopt, check_resource_id,
       "id of the topic that carries the calls"},
      {Key::emulator_host, "PUBSUB_EMULATOR_HOST", std::nullopt, check_host_port,
       "host:port of a local Pub/Sub server, reached in plain text; wins over the endpoint"},
      {Key::endpoint, "CLOUD_FUNCTIONS_DISPATCH_ENDPOINT", "pubsub.googleapis.com:443", check_host_port,
       "host:port of Pub/Sub, for a regional endpoint"},
      // Everything: the original logs the start and end of each execution at this level.
      {Key::log_level, "CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL", "debug",
       [](std::string_view v) { return check_one_of(v, "debug, info, warning, error, off"); },
       "least level that is logged: debug, info, warning, error or off"},
      // Cloud Run reads JSON, people read text; where a program runs is known from Cloud Run's own variables.
      {Key::log_format, "CLOUD_FUNCTIONS_DISPATCH_LOG_FORMAT", "auto",
       [](std::string_view v) { return check_one_of(v, "auto, text, json"); },
       "text (standard error), json (standard output), or auto: json on Cloud Run"},
      // What Cloud Run leaves a process after SIGTERM.
      {Key::exit_timeout, "CLOUD_FUNCTIONS_DISPATCH_EXIT_TIMEOUT", "10s",
       [](std::string_view v) { return check_duration(v, 0ms, 10min); },
       "how long a normal exit may take to send what is queued"},
      // Google's own deadline for Publish, from its service configuration.
      {Key::publish_timeout, "CLOUD_FUNCTIONS_DISPATCH_PUBLISH_TIMEOUT", "60s",
       [](std::string_view v) { return check_duration(v, 1ms, 24h); },
       "deadline of a call's publishing, retries included"},
      {Key::max_pending, "CLOUD_FUNCTIONS_DISPATCH_MAX_PENDING", "1000000",
       [](std::string_view v) { return check_number(v, 1, 1'000'000'000); },
       "unconfirmed calls before the queue is full"},
      // Keeps a program that calls faster than the wire takes it under 64 MB resident, gRPC's share included;
      // one message of 10 MB must fit.
      {Key::max_pending_bytes, "CLOUD_FUNCTIONS_DISPATCH_MAX_PENDING_BYTES", "33554432",
       [](std::string_view v) { return check_number(v, 10'000'000, 1ULL << 40U); },
       "bytes of unconfirmed calls before the queue is full"},
      {Key::when_full, "CLOUD_FUNCTIONS_DISPATCH_WHEN_FULL", "block",
       [](std::string_view v) { return check_one_of(v, "block, fail, drop"); },
       "what a call does when the queue is full: block, fail or drop"},
      // Cloud Run's default. 0 lets the system choose, for scripts and tests.
      {Key::port, "PORT", "8080", [](std::string_view v) { return check_number(v, 0, 65535); },
       "port the worker listens on; 0 lets the system choose"},
      // Functions mostly wait for others; a thread that waits costs little, and a worker of one thread would
      // answer 429 to every burst.
      {Key::threads, "CLOUD_FUNCTIONS_DISPATCH_THREADS", "8",
       [](std::string_view v) { return check_number(v, 1, 4096); }, "functions that run at once"},
      // 0 is as many as there are threads: long enough to keep them busy, short enough that the platform sees
      // the load and scales.
      {Key::queue, "CLOUD_FUNCTIONS_DISPATCH_QUEUE", "0",
       [](std::string_view v) { return check_number(v, 0, 1'000'000); },
       "calls that may wait for a thread before the worker answers 429; 0: as many as threads"},
      // None: the deadline of the subscription, or of Cloud Run's request, is the limit then.
      {Key::function_timeout, "CLOUD_FUNCTIONS_DISPATCH_FUNCTION_TIMEOUT", std::nullopt,
       [](std::string_view v) { return check_duration(v, 1ms, 24h); },
       "how long a function may run before it is asked to stop, and its call is to come again; one "
       "dispatched "
       "with cfd::timeout has its own"},
      // None: the numbers are nobody's business unless somebody asks for them.
      {Key::metrics_port, "CLOUD_FUNCTIONS_DISPATCH_METRICS_PORT", std::nullopt,
       [](std::string_view v) { return check_number(v, 0, 65535); },
       "port of GET /metrics, for Prometheus; 0 lets the system choose"},
      // None: the subscription's own policy is the better place.
      {Key::dead_letter_topic, "CLOUD_FUNCTIONS_DISPATCH_DEAD_LETTER_TOPIC", std::nullopt, check_resource_id,
       "id of a topic that the worker publishes rejected calls to, for subscriptions without a dead-letter "
       "policy"},
      // None: Pub/Sub delivers again rarely, and functions that may be repeated need no store.
      {Key::once, "CLOUD_FUNCTIONS_DISPATCH_ONCE", std::nullopt, check_store,
       "where executed calls are remembered, so that none runs again: memory, memory:ENTRIES, sqlite:PATH, "
       "redis://HOST:PORT[/DB] or redis+unix://PATH",
       without_password},
      // As long as Pub/Sub holds back the messages of a worker that died.
      {Key::once_claim, "CLOUD_FUNCTIONS_DISPATCH_ONCE_CLAIM", "60s",
       [](std::string_view v) { return check_duration(v, 1s, 24h); },
       "how long a call that a worker died over stays claimed; renewed while its function runs"},
      // Pub/Sub's own default retention: nothing is delivered again after that.
      {Key::once_keep, "CLOUD_FUNCTIONS_DISPATCH_ONCE_KEEP", "168h",
       [](std::string_view v) { return check_duration(v, 1s, 31 * 24h); },
       "how long an executed call is remembered"},
      {Key::push_auth_email, "CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_EMAIL", std::nullopt, check_email,
       "service account that pushes must come from; the worker verifies their tokens then"},
      {Key::push_auth_audience, "CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_AUDIENCE", std::nullopt, check_one_line,
       "audience that the tokens of pushes must be for: the subscription's, by default its endpoint"},
      {Key::push_auth_keys, "CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_KEYS",
       "https://www.googleapis.com/oauth2/v3/certs", check_key_url,
       "URL of the keys that sign the tokens of pushes: https:, file:, or http: on this machine"},
      {Key::signing_keys, "CLOUD_FUNCTIONS_DISPATCH_SIGNING_KEYS", std::nullopt, check_signing_keys,
       "secret keys, ID:HEX[,ID:HEX...] or file:PATH: calls are signed with the first, and executed only if "
       "signed with any",
       [](std::string_view v) { return std::string(v.starts_with("file:") ? v : "(secret)"); }},
      {Key::signing_max_age, "CLOUD_FUNCTIONS_DISPATCH_SIGNING_MAX_AGE", std::nullopt,
       [](std::string_view v) { return check_duration(v, 1s, 31 * 24h); },
       "age from which a signed call is rejected"},
  }};
  return rows;
}

struct Override {
  std::string value;
  Origin origin;
};

// What set() keeps. One mutex is enough: settings are read at start and when something connects.
struct State {
  std::mutex mutex;
  std::array<std::optional<Override>, count_of_settings> overrides;
  std::atomic<std::uint64_t> version{1};
  std::atomic<bool> frozen{false};
};

// Never destroyed: the log and the publisher read settings until the very end of the program.
State& state() {
  static auto& instance = *new State;
  return instance;
}

const Row& row_of(Key key) {
  return table().at(static_cast<std::size_t>(key));
}

std::string_view where(Origin origin) {
  return origin == Origin::flag ? "on the command line" : "in code";
}

[[noreturn]] void throw_malformed(const Row& row, std::string_view value, std::string_view place,
                                  const Fault& fault) {
  constexpr std::size_t longest_shown = 100;  // a value pasted by mistake can be a whole file
  const std::string shown = row.shown != nullptr ? row.shown(value) : std::string(value);
  value = shown;
  const bool cut = value.size() > longest_shown;
  throw ConfigError(fmt::format("{} is \"{}{}\" {}: it {}", row.variable, value.substr(0, longest_shown),
                                cut ? "…" : "", place, fault));
}

std::optional<Setting> lookup(const Row& row) {
  {
    const std::lock_guard lock(state().mutex);
    if (const auto& found = state().overrides.at(static_cast<std::size_t>(row.key)))
      return Setting{row.key, row.variable, found->value, found->origin};
  }
  if (const char* found = std::getenv(row.variable.data()); found != nullptr && *found != '\0') {
    if (const Fault fault = row.check(found); !fault.empty())
      throw_malformed(row, found, "in the environment", fault);
    return Setting{row.key, row.variable, found, Origin::environment};
  }
  if (row.built_in) return Setting{row.key, row.variable, std::string(*row.built_in), Origin::built_in};
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::built_in:
      return "default";
    case Origin::environment:
      return "environment";
    case Origin::code:
      return "code";
    case Origin::flag:
      return "flag";
  }
  return "unknown";
}

std::vector<Description> describe() {
  std::vector<Description> rows;
  for (const Row& row : table()) rows.push_back({row.variable, row.built_in, row.help});
  return rows;
}

void set(Key key, std::string value, Origin origin) {
  const Row& row = row_of(key);
  if (const Fault fault = row.check(value); !fault.empty()) throw_malformed(row, value, where(origin), fault);
  const std::lock_guard lock(state().mutex);
  auto& kept = state().overrides.at(static_cast<std::size_t>(key));
  if (kept && kept->origin == Origin::flag && origin != Origin::flag) return;
  kept = Override{std::move(value), origin};
  ++state().version;
}

void freeze() noexcept {
  state().frozen = true;
}

bool frozen() noexcept {
  return state().frozen;
}

void reset() noexcept {
  const std::lock_guard lock(state().mutex);
  for (auto& kept : state().overrides) kept.reset();
  state().frozen = false;
  ++state().version;
}

std::uint64_t version() noexcept {
  return state().version.load(std::memory_order_relaxed);
}

std::optional<std::string> find(Key key) {
  auto setting = lookup(row_of(key));
  if (!setting) return std::nullopt;
  return std::move(setting->value);
}

std::string require(Key key) {
  if (auto value = find(key)) return *std::move(value);
  const Row& row = row_of(key);
  throw ConfigError(
      fmt::format("{} is not set. Use a real project: export GCP_PROJECT=my-project "
                  "CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC=my-topic; or the local server: run `cfd "
                  "emulator`, then export "
                  "PUBSUB_EMULATOR_HOST=localhost:8085 and both variables with names of your choice. "
                  "(cfd::configure sets them in code.)",
                  row.variable));
}

std::uint64_t number(Key key) {
  return parse_number(require(key)).value();
}

std::chrono::milliseconds duration(Key key) {
  return parse_duration(require(key)).value();
}

std::vector<Setting> in_force() {
  std::vector<Setting> settings;
  for (const Row& row : table())
    if (auto setting = lookup(row)) {
      if (row.shown != nullptr) setting->value = row.shown(setting->value);
      settings.push_back(*std::move(setting));
    }
  return settings;
}

}  // namespace cfd::settings
