#pragma once

/// \file
/// Settings given in code. Each wins over its environment variable; what is left empty does not.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cfd {

/// What to do with a call when the queue of unconfirmed calls is full.
enum class WhenFull : std::uint8_t {
  block,  ///< wait for room, at most for the call's deadline, then throw PublishError
  fail,   ///< throw PublishError at once
  drop,   ///< count the call as dropped, fail its handle, and go on
};

/// A call that Pub/Sub has not confirmed and never will. The views are good until the hook returns.
struct FailedCall {
  std::string_view function;  ///< its name
  std::string_view call_id;   ///< as Call::id()
  std::string_view code;      ///< as PublishError::code()
  std::string_view message;   ///< what went wrong, one line
};

/// Hears of each call whose handle fails: a permanent error, its deadline, dropped, its ordering key stopped,
/// or not sent when the program ended. What `f(...)` throws it does not hear of: the caller has that already.
///
/// Called before the handle fails, on the thread that found out: mostly the one that serves the connection,
/// for a call that is dropped or refused at once the calling one. It must not block: nothing is published
/// meanwhile. It may make calls; where the queue is full they throw, and where they fail it is not called
/// again from within itself. What it throws is logged. Called from several threads at once.
using FailedCallHook = std::function<void(const FailedCall&)>;

/// Program-wide options; see cfd::configure. Meant for designated initializers.
struct Options {
  using Milliseconds = std::optional<std::chrono::milliseconds>;

  std::optional<std::string> project = {};        ///< instead of GCP_PROJECT
  std::optional<std::string> topic = {};          ///< instead of CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC
  std::optional<std::string> emulator_host = {};  ///< instead of PUBSUB_EMULATOR_HOST, as "localhost:8085"
  Milliseconds publish_timeout = {};              ///< per call, retries included; default 60 s
  Milliseconds exit_timeout = {};                 ///< for what is queued at a normal exit; default 10 s
  std::optional<std::uint64_t> max_pending = {};  ///< unconfirmed calls; default 1,000,000
  std::optional<std::uint64_t> max_pending_bytes = {};  ///< their bytes; default 32 MiB
  std::optional<WhenFull> when_full = {};               ///< default block
  FailedCallHook on_failed_call = {};  ///< default none: failures are in the handles and the log
};

/// Sets options for the whole program. Call it before the first dispatched call: what connects has connected
/// then, and a later call throws ConfigError. Throws ConfigError for a malformed value. Thread-safe.
void configure(const Options& options);

}  // namespace cfd
