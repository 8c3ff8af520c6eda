#pragma once

/// \file
/// Calls back at given times: one thread for all timers of a server. Thread-safe.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <vector>

#include "emulator/clock.hpp"

namespace cfd::emulator {

class Scheduler {
 public:
  using Task = std::function<void()>;

  explicit Scheduler(const Clock& clock) : clock_(clock) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler() { stop(); }

  /// Runs `task` once, at `time` or soon after, on the scheduler's thread.
  void at(Time time, Task task);

  /// Starts the thread. Without it, run_due() must be called.
  void start();
  /// Ends the thread; tasks not yet due are dropped. Idempotent.
  void stop();

  /// Runs what is due now, on this thread.
  void run_due();

  const Clock& clock() const noexcept { return clock_; }

 private:
  struct Timer {
    Time time;
    Task task;
    bool operator>(const Timer& other) const noexcept { return time > other.time; }
  };
  std::optional<Task> pop_due();
  void run(const std::stop_token& stop);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::jthread thread_;
};

}  // namespace cfd::emulator
