#pragma once

/// \file
/// Settings given in code. Each wins over its environment variable; what is left empty does not.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cfd {

/// What to do with a call when the queue of unconfirmed calls is full.
enum class WhenFull : std::uint8_t {
  block,  ///< wait for room, at most for the call's deadline, then throw PublishError
  fail,   ///< throw PublishError at once
  drop,   ///< count the call as dropped, fail its handle, and go on
};

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
};

/// Sets options for the whole program. Call it before the first dispatched call: what connects has connected
/// then, and a later call throws ConfigError. Throws ConfigError for a malformed value. Thread-safe.
void configure(const Options& options);

}  // namespace cfd
