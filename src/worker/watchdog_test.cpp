#include "worker/watchdog.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

namespace cfd::worker {
namespace {

using namespace std::chrono_literals;

// Waits for a token without polling; false after a generous while.
bool fires(const std::stop_token& token) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, token, 30s, [] { return false; });
  return token.stop_requested();
}

TEST(Watchdog, FiresWhenTheTimeIsOverAndNotBefore) {
  Watchdog dog;
  const auto started = Watchdog::Clock::now();
  const Watchdog::Watch watch(dog, 50ms);
  EXPECT_TRUE(fires(watch.over()));
  EXPECT_GE(Watchdog::Clock::now() - started, 50ms);
}

TEST(Watchdog, EachHasItsOwnTimeWhateverTheOrder) {
  Watchdog dog;
  const Watchdog::Watch never(dog, 1h);
  const Watchdog::Watch late(dog, 100ms);
  const Watchdog::Watch soon(dog, 1ms);
  EXPECT_TRUE(fires(soon.over()));
  EXPECT_TRUE(fires(late.over()));
  EXPECT_FALSE(never.over().stop_requested());
}

TEST(Watchdog, AWatchThatEndsBeforeItsTimeNeverFires) {
  Watchdog dog;
  std::stop_token ended;
  {
    const Watchdog::Watch watch(dog, 20ms);
    ended = watch.over();
  }
  const Watchdog::Watch later(dog, 100ms);
  EXPECT_TRUE(fires(later.over()));
  EXPECT_FALSE(ended.stop_requested());
}

TEST(Watchdog, ManyThreadsAtOnce) {
  Watchdog dog;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&dog, t] {
      for (int i = 0; i < 200; ++i) {
        const Watchdog::Watch watch(dog, std::chrono::milliseconds((i + t) % 3));
        if (i % 3 == 0) {
          EXPECT_TRUE(fires(watch.over()));
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace cfd::worker
