// Keys are fetched, kept, rotated, and outlive their source for a while.
#include "auth/key_set.hpp"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/test_key.hpp"

namespace cfd::auth {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

const TestKey& old_key() {
  static const TestKey made("old");
  return made;
}
const TestKey& new_key() {
  static const TestKey made("new");
  return made;
}

// Serves what the test says.
class Source {
 public:
  void serve(Fetched answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  KeySet::Fetch fetch() {
    return [this](const std::string&, const std::stop_token&) {
      ++fetches;
      const std::lock_guard lock(mutex_);
      return answer_;
    };
  }
  std::atomic<int> fetches = 0;

 private:
  std::mutex mutex_;
  Fetched answer_{.body = {}, .error = "down"};
};

template <class Condition>
bool comes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST(KeySetTest, KeysAreThereOnceItIsMade) {
  Source source;
  source.serve({.body = key_set(old_key()), .error = {}});
  KeySet keys("u", {}, source.fetch());
  EXPECT_NE(keys.find("old").key, nullptr);
  EXPECT_EQ(keys.find("new").key, nullptr);
  EXPECT_TRUE(keys.find("new").available);
}

TEST(KeySetTest, AnUnknownKeyHasTheKeysFetchedAndTheOldOnesGo) {
  Source source;
  source.serve({.body = key_set(old_key()), .error = {}});
  KeySet keys("u", {.between_unknown = 1ms}, source.fetch());
  const auto before = keys.state().generation;
  source.serve({.body = key_set(new_key()), .error = {}});
  EXPECT_TRUE(comes_true([&] { return keys.find("new").key != nullptr; }));
  EXPECT_EQ(keys.find("old").key, nullptr) << "withdrawn";
  EXPECT_GT(keys.state().generation, before);
}

TEST(KeySetTest, MadeUpKeysCauseFewFetches) {
  Source source;
  source.serve({.body = key_set(old_key()), .error = {}});
  KeySet keys("u", {.between_unknown = 1h}, source.fetch());
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(keys.find(std::to_string(i)).key, nullptr);
  EXPECT_EQ(source.fetches, 1);
}

TEST(KeySetTest, TheSendersMaxAgeIsHonoured) {
  Source source;
  source.serve({.body = key_set(old_key()), .max_age = 1h, .error = {}});
  KeySet keys("u", {.otherwise = 1ms, .least = 1ms}, source.fetch());
  EXPECT_NE(keys.find("old").key, nullptr);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(source.fetches, 1);
}

TEST(KeySetTest, KeysAreFetchedAgainWhenTheirTimeIsOver) {
  Source source;
  source.serve({.body = key_set(old_key()), .error = {}});
  KeySet keys("u", {.otherwise = 1ms, .least = 1ms}, source.fetch());
  source.serve({.body = key_set(old_key(), new_key()), .error = {}});
  EXPECT_TRUE(comes_true([&] { return source.fetches > 3 && keys.find("new").key != nullptr; }));
  EXPECT_NE(keys.find("old").key, nullptr);
}

TEST(KeySetTest, WhileTheSourceIsDownKeysGoOnForAWhileAndThenEnd) {
  Source source;
  source.serve({.body = key_set(old_key()), .error = {}});
  KeySet keys("u", {.otherwise = 1ms, .least = 1ms, .after_failure = 1ms, .stale = 200ms}, source.fetch());
  source.serve({.body = {}, .error = "down"});
  const int fetches = source.fetches;
  EXPECT_TRUE(comes_true([&] { return source.fetches > fetches + 1; }));
  EXPECT_TRUE(comes_true([&] { return !keys.find("old").available; }));
  source.serve({.body = key_set(old_key()), .error = {}});
  EXPECT_TRUE(comes_true([&] { return keys.find("old").key != nullptr; })) << "and come back";
}

TEST(KeySetTest, ASourceThatIsDownAtTheStartIsAskedAgain) {
  Source source;
  KeySet keys("u", {.after_failure = 1ms}, source.fetch());
  EXPECT_FALSE(keys.find("old").available);
  source.serve({.body = key_set(old_key()), .error = {}});
  EXPECT_TRUE(comes_true([&] { return keys.find("old").key != nullptr; }));
}

TEST(KeySetTest, WhatIsNoKeySetDoesNotReplaceOne) {
  Source source;
  source.serve({.body = key_set(old_key()), .error = {}});
  KeySet keys("u", {.otherwise = 1ms, .least = 1ms, .after_failure = 1ms}, source.fetch());
  source.serve({.body = "<html>", .error = {}});
  const int fetches = source.fetches;
  EXPECT_TRUE(comes_true([&] { return source.fetches > fetches + 2; }));
  EXPECT_NE(keys.find("old").key, nullptr);
}

}  // namespace
}  // namespace cfd::auth
