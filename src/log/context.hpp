#pragma once

/// \file
/// What a log line says besides its message: which source it comes from and for which call.

#include <cstdint>
#include <string_view>

#include <cfd/log.hpp>

namespace cfd::log {

/// The call that this thread executes. Views must outlive the Scope that holds them.
struct Context {
  std::string_view source;    ///< third column: the topic, subscription or service
  std::string_view event_id;  ///< fourth column: the message id of the running call
  std::string_view function;  ///< JSON only
  std::string_view trace;  ///< JSON only: traceparent or X-Cloud-Trace-Context of the running call, or empty
  std::string_view execution_id =
      {};                         ///< JSON only: of this run alone, where the event may run several times
  std::int32_t attempt = 0;       ///< JSON only: of delivery; zero where that is not counted
  std::int64_t duration_ms = -1;  ///< JSON only: what the execution took, once that is known
};

/// The context of this thread; empty views where no call runs.
const Context& context() noexcept;

/// Sets this thread's context for a block, and puts the former one back.
class Scope {
 public:
  explicit Scope(const Context& context) noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Context former_;
};

/// Writes one entry under another event id than the thread's own: the caller's line about a call it pushes.
void write_for(std::string_view event_id, Level level, std::string_view message) noexcept;

}  // namespace cfd::log
