#pragma once

/// \file
/// Every setting of the library in one table: its environment variable, its default and why, how it is
/// checked. Precedence, highest first: command line flag, code (cfd::configure), environment, default. An
/// environment variable that is set to nothing counts as not set.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <cfd/options.hpp>

namespace cfd::settings {

/// Names a row of the table in settings.cpp.
enum class Key : std::uint8_t {
  project,             ///< GCP_PROJECT
  topic,               ///< CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC
  emulator_host,       ///< PUBSUB_EMULATOR_HOST
  endpoint,            ///< CLOUD_FUNCTIONS_DISPATCH_ENDPOINT
  log_level,           ///< CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL
  log_format,          ///< CLOUD_FUNCTIONS_DISPATCH_LOG_FORMAT
  exit_timeout,        ///< CLOUD_FUNCTIONS_DISPATCH_EXIT_TIMEOUT
  publish_timeout,     ///< CLOUD_FUNCTIONS_DISPATCH_PUBLISH_TIMEOUT
  max_pending,         ///< CLOUD_FUNCTIONS_DISPATCH_MAX_PENDING
  max_pending_bytes,   ///< CLOUD_FUNCTIONS_DISPATCH_MAX_PENDING_BYTES
  when_full,           ///< CLOUD_FUNCTIONS_DISPATCH_WHEN_FULL
  port,                ///< PORT
  threads,             ///< CLOUD_FUNCTIONS_DISPATCH_THREADS
  queue,               ///< CLOUD_FUNCTIONS_DISPATCH_QUEUE
  function_timeout,    ///< CLOUD_FUNCTIONS_DISPATCH_FUNCTION_TIMEOUT
  metrics_port,        ///< CLOUD_FUNCTIONS_DISPATCH_METRICS_PORT
  dead_letter_topic,   ///< CLOUD_FUNCTIONS_DISPATCH_DEAD_LETTER_TOPIC
  once,                ///< CLOUD_FUNCTIONS_DISPATCH_ONCE
  once_claim,          ///< CLOUD_FUNCTIONS_DISPATCH_ONCE_CLAIM
  once_keep,           ///< CLOUD_FUNCTIONS_DISPATCH_ONCE_KEEP
  push_auth_email,     ///< CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_EMAIL
  push_auth_audience,  ///< CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_AUDIENCE
  push_auth_keys,      ///< CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_KEYS
  signing_keys,        ///< CLOUD_FUNCTIONS_DISPATCH_SIGNING_KEYS
  signing_max_age,     ///< CLOUD_FUNCTIONS_DISPATCH_SIGNING_MAX_AGE
  count_               // not a setting
};

enum class Origin : std::uint8_t { built_in, environment, code, flag };

/// "default", "environment", "code" or "flag".
std::string_view to_string(Origin origin) noexcept;

/// A setting in force.
struct Setting {
  Key key;
  std::string_view variable;  ///< its environment variable
  std::string value;          ///< from in_force(): without what is secret in it
  Origin origin;
};

/// One row of the table, for --help and the reference.
struct Description {
  std::string_view variable;
  std::optional<std::string_view> built_in;  ///< the default
  std::string_view help;                     ///< one line
};

/// The table, in its order.
std::vector<Description> describe();

/// Overrides a setting from code or the command line; a flag is kept against later code. Thread-safe.
/// Throws ConfigError for a malformed value.
void set(Key key, std::string value, Origin origin);

/// From now on cfd::configure throws ConfigError: what the settings describe is connected. Thread-safe.
void freeze() noexcept;

/// Options::on_failed_call as last configured; null where it never was. Thread-safe.
std::shared_ptr<const FailedCallHook> on_failed_call();

/// Whether freeze() was called.
bool frozen() noexcept;

/// Drops what set() and freeze() did, for tests.
void reset() noexcept;

/// Grows with every set() and reset(), so that who keeps a copy of a setting can tell when to look again.
std::uint64_t version() noexcept;

/// The value in force; empty where a setting without default is not given. Thread-safe.
/// Throws ConfigError, naming the variable, the value and the way out, where the environment's value is
/// malformed.
std::optional<std::string> find(Key key);

/// As find(), but throws ConfigError, naming both ways out (a real project, or the local server), where it is
/// not set.
std::string require(Key key);

/// The value of a setting that is a count or a number of bytes; the table guarantees its range.
std::uint64_t number(Key key);

/// The value of a setting that is a duration, written as 10s, 500ms or 2m.
std::chrono::milliseconds duration(Key key);

/// Every setting in force, in the table's order, for the line a worker logs at start.
/// Throws ConfigError where the environment's value of any is malformed.
std::vector<Setting> in_force();

}  // namespace cfd::settings
