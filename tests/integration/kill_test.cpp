// Workers that are killed at random moments under many calls: every call is executed, and, with a store that
// remembers executed calls, only those that ran as a worker died may run twice.
//
//     CFD_KILL_CALLS=100000 build/release/tests/integration/integration_test --gtest_filter='*KillTest*'
//
// makes the long run, by pull too, where what a killed worker held comes again after its lease of a minute.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "integration/deployment.hpp"

namespace cfd::integration {
namespace {

constexpr std::size_t threads = 4;
constexpr std::chrono::minutes patience{10};

std::size_t wanted_calls() {
  const char* given =
      std::getenv("CFD_KILL_CALLS");  // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
  return given == nullptr ? 1000 : std::stoul(given);
}

bool long_run() {
  return wanted_calls() >= 100'000;
}

/// What t.record wrote: the processes that ran each call, in the order in which they did.
std::map<int, std::vector<int>> executions(const std::string& path) {
  std::map<int, std::vector<int>> runs;
  std::ifstream file(path);
  for (int process = 0, number = 0; file >> process >> number;) runs[number].push_back(process);
  return runs;
}

class KillTest : public Deployment {
 protected:
  Environment settings_of_worker() const {
    return {{"CLOUD_FUNCTIONS_DISPATCH_ONCE", "sqlite:" + (directory() / "once.db")},
            {"CLOUD_FUNCTIONS_DISPATCH_ONCE_CLAIM", "1s"},
            {"CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL", "error"},
            {"CLOUD_FUNCTIONS_DISPATCH_THREADS", std::to_string(threads)}};
  }

  std::size_t lines() const {
    std::ifstream file(record_);
    return static_cast<std::size_t>(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }

  /// Waits until `there()`; fails after `patience`.
  template <class Condition>
  static bool wait_until(Condition there) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!there()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  const std::string record_ = directory() / "record";
};
INSTANTIATE_TEST_SUITE_P(By, KillTest,
                         testing::ValuesIn(long_run() ? std::vector{Delivery::push, Delivery::pull}
                                                      : std::vector{Delivery::push}),
                         delivery_name);

TEST_P(KillTest, EveryCallIsExecutedAndOnlyWhatRanAsAWorkerDiedTwice) {
  const std::size_t calls = wanted_calls();
  const std::size_t kills = long_run() && GetParam() == Delivery::push ? 20 : 3;
  std::vector<Process*> workers{&start_worker(settings_of_worker())};
  ASSERT_EQ(call("record_many", std::to_string(calls) + " " + record_), 0) << caller_output();
  std::minstd_rand random(20200313);  // NOLINT: a fixed seed, so that a failure can be repeated
  for (std::size_t killed = 0; killed < kills; ++killed) {
    const std::size_t step = 1 + random() % (calls / (kills + 1));
    const std::size_t mark = lines() + step;
    ASSERT_TRUE(wait_until([&] { return lines() >= mark; })) << lines() << " of " << calls << " calls ran";
    workers.back()->signal(SIGKILL);
    workers.back()->wait();
    workers.push_back(&start_worker(settings_of_worker()));
  }
  ASSERT_TRUE(wait_until([&] { return lines() >= calls && executions(record_).size() == calls; }))
      << executions(record_).size() << " of " << calls << " calls ran";
  workers.back()->signal(SIGTERM);
  EXPECT_EQ(workers.back()->wait(), 0);

  std::map<int, std::size_t> ran_again;  // by the process that had run it before
  for (const auto& [number, processes] : executions(record_))
    for (std::size_t i = 0; i + 1 < processes.size(); ++i) {
      EXPECT_NE(processes[i], processes[i + 1]) << "call " << number << " ran twice in a worker that lived";
      ++ran_again[processes[i]];
    }
  std::size_t twice = 0;
  for (const auto& [process, times] : ran_again) {
    EXPECT_LE(times, threads) << "more ran again than process " << process << " was running as it died";
    twice += times;
  }
  RecordProperty("ran_twice", static_cast<int>(twice));
  std::printf("%zu calls, %zu kills: every call ran, %zu ran again\n", calls, kills, twice);
}

}  // namespace
}  // namespace cfd::integration
