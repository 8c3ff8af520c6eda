#pragma once

/// \file
/// The time that functions may take.

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

namespace cfd::worker {

/// One thread that tells functions when their time is over. Thread-safe; outlives its Watches.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches over one function for a block.
  class Watch {
   public:
    Watch(Watchdog& dog, std::chrono::milliseconds timeout);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Fires when the time is over, on the watchdog's thread.
    std::stop_token over() const noexcept { return source_.get_token(); }

   private:
    friend Watchdog;
    Watchdog& dog_;
    std::stop_source source_;
    std::multimap<Clock::time_point, Watch*>::iterator place_;
  };

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Watch*> watched_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace cfd::worker
