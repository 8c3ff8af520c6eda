#pragma once

/// \file
/// Failures on demand, so that tests see how a client takes them.

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/scheduler.hpp"
#include "emulator/status.hpp"

namespace cfd::emulator {

/// What happens to the next calls of one method.
struct Fault {
  std::string method;       ///< Publish, Pull, StreamingPull, Acknowledge or ModifyAckDeadline
  std::uint32_t count = 1;  ///< so many calls, then no more
  Duration delay{0};        ///< each waits so long first
  Status status = {};       ///< and then ends with this; OK: goes on as usual
  bool duplicate = false;   ///< Publish only: the messages are delivered twice
  bool reorder = false;     ///< held until all `count` calls have come, which then go on, the last one first
};

/// Thread-safe.
class Faults {
 public:
  explicit Faults(Scheduler& scheduler) : scheduler_(scheduler) {}

  /// Faults of one method are used up in the order in which they were added.
  void add(Fault fault);
  /// What is held goes on.
  void clear();

  /// Calls `go` with what is to become of a call of `method`: at once, on this thread, where no fault delays
  /// it.
  void apply(std::string_view method, std::function<void(const Fault&)> go);

 private:
  Scheduler& scheduler_;
  std::atomic<bool> any_{false};
  std::mutex mutex_;
  std::list<Fault> faults_;
  std::map<std::string, std::vector<std::function<void()>>, std::less<>> held_;  // to be reordered, by method
};

}  // namespace cfd::emulator
