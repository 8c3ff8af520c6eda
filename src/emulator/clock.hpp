#pragma once

/// \file
/// The server's one source of time, so that tests can move it.

#include <atomic>
#include <chrono>
#include <string>

namespace cfd::emulator {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::sys_time<Duration>;

/// In the form 2020-03-13T22:24:35.095, with milliseconds and without a zone; always UTC.
std::string format_time(Time time);

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const noexcept = 0;
};

/// Wall-clock time that never jumps: the wall clock is read once, the steady clock from then on, so that a
/// corrected wall clock neither expires leases nor holds them.
class SystemClock final : public Clock {
 public:
  Time now() const noexcept override {
    return origin_ + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - steady_origin_);
  }

 private:
  Time origin_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::chrono::steady_clock::time_point steady_origin_ = std::chrono::steady_clock::now();
};

/// Time that moves when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = Time{std::chrono::seconds{1'600'000'000}})
      : now_(start.time_since_epoch().count()) {}

  Time now() const noexcept override { return Time{Duration{now_.load()}}; }
  void advance(Duration by) noexcept { now_ += by.count(); }

 private:
  std::atomic<Duration::rep> now_;
};

}  // namespace cfd::emulator
