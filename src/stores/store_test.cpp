// What every store promises, and what the shared ones promise among processes.
#include "once/store.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "stores/redis_process.hpp"

namespace cfd::once {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr Lifetimes long_lives{.claim = 60'000ms, .keep = 60'000ms};
constexpr Lifetimes short_lives{.claim = 30ms, .keep = 60ms};
constexpr auto patience = 60s;

class StoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    if (GetParam() == "redis") {
      if (!stores::redis_is_here()) GTEST_SKIP() << "redis-server or hiredis is not installed here";
      redis_ = std::make_unique<stores::RedisProcess>();
    }
    std::string pattern = std::filesystem::temp_directory_path() / "cfd-once-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string setting() const {
    if (GetParam() == "sqlite") return "sqlite:" + directory_ + "/once.db";
    if (GetParam() == "redis") return "redis+unix://" + redis_->socket();
    return GetParam();
  }
  std::unique_ptr<Store> open(Lifetimes lifetimes) const { return make_store(setting(), lifetimes); }

  stores::RedisProcess& redis() { return *redis_; }

 private:
  std::unique_ptr<stores::RedisProcess> redis_;
  std::string directory_;
};

INSTANTIATE_TEST_SUITE_P(Of, StoreTest, ::testing::Values("memory", "sqlite", "redis"),
                         [](const auto& of) { return of.param; });

class SharedStoreTest : public StoreTest {};
class RedisStoreTest : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Of, SharedStoreTest, ::testing::Values("sqlite", "redis"),
                         [](const auto& of) { return of.param; });
INSTANTIATE_TEST_SUITE_P(Of, RedisStoreTest, ::testing::Values("redis"),
                         [](const auto& of) { return of.param; });

// Waits until `store` grants `key` to `owner`.
bool comes_to_be_granted(Store& store, std::string_view key, std::string_view owner) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (store.claim(key, owner).claim == Claim::granted) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST_P(StoreTest, AClaimIsOneOwnersUntilItIsGivenBack) {
  const auto store = open(long_lives);
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::granted);
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::granted) << "its owner renews it";
  EXPECT_EQ(store->claim("k", "bb").claim, Claim::taken);
  EXPECT_EQ(store->claim("other", "bb").claim, Claim::granted);
  EXPECT_EQ(store->release("k", "bb"), "");
  EXPECT_EQ(store->claim("k", "bb").claim, Claim::taken) << "only its owner gives it back";
  EXPECT_EQ(store->release("k", "aa"), "");
  EXPECT_EQ(store->claim("k", "bb").claim, Claim::granted);
}

TEST_P(StoreTest, WhatIsExecutedStaysSo) {
  const auto store = open(long_lives);
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::granted);
  EXPECT_EQ(store->finish("k"), "");
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::done);
  EXPECT_EQ(store->claim("k", "bb").claim, Claim::done);
  EXPECT_EQ(store->release("k", "aa"), "");
  EXPECT_EQ(store->claim("k", "bb").claim, Claim::done) << "a late release changes nothing";
  EXPECT_EQ(store->finish("k"), "");
  EXPECT_EQ(store->claim("k", "bb").claim, Claim::done);
}

TEST_P(StoreTest, AnExpiredClaimGoesToTheNextAndAnEndAfterItStillCounts) {
  const auto store = open(short_lives);
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::granted);
  EXPECT_TRUE(comes_to_be_granted(*store, "k", "bb"));
  const auto lasting = open(long_lives);
  if (GetParam() != "memory") {
    EXPECT_EQ(lasting->finish("k"), "") << "the first ran to its end after all";
    EXPECT_EQ(lasting->claim("k", "cc").claim, Claim::done);
  }
}

TEST_P(StoreTest, WhatIsExecutedIsForgottenInTheEnd) {
  const auto store = open(short_lives);
  EXPECT_EQ(store->finish("k"), "");
  EXPECT_TRUE(comes_to_be_granted(*store, "k", "aa"));
  EXPECT_EQ(store->release("k", "aa"), "");
  for (int i = 0; i < 200; ++i) EXPECT_EQ(store->finish(std::to_string(i)), "");  // forgets in passing
}

TEST_P(StoreTest, KeysAreAnyBytes) {
  const auto store = open(long_lives);
  const std::string odd("a 'b\"\r\n\0%s*", 11);
  EXPECT_EQ(store->claim(odd, "aa").claim, Claim::granted);
  EXPECT_EQ(store->claim(odd, "bb").claim, Claim::taken);
  EXPECT_EQ(store->claim(odd + "x", "bb").claim, Claim::granted);
}

TEST_P(StoreTest, OfManyThreadsOneGetsEachCall) {
  constexpr int threads = 8;
  constexpr int calls = 150;
  const auto store = open(long_lives);
  std::vector<std::atomic<int>> granted(calls);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      const std::string owner = fmt::format("{:02x}", t);
      for (std::size_t i = 0; i < calls; ++i) {
        const ClaimResult result = store->claim(std::to_string(i), owner);
        if (result.claim == Claim::granted) ++granted[i];
        ASSERT_NE(result.claim, Claim::failed) << result.error;
        if (result.claim == Claim::granted && i % 2 == 0) {
          EXPECT_EQ(store->finish(std::to_string(i)), "");
        }
      }
    });
  for (std::thread& thread : all) thread.join();
  for (std::size_t i = 0; i < calls; ++i) EXPECT_EQ(granted[i], 1) << i;
}

TEST_P(SharedStoreTest, OfManyProcessesOneGetsEachCall) {
  constexpr int processes = 4;
  constexpr int calls = 150;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        const auto store = open(long_lives);
        for (unsigned char i = 0; i < calls; ++i) {
          const Claim claim = store->claim(std::to_string(i), fmt::format("{:02x}", p)).claim;
          if (claim == Claim::failed) _exit(2);
          if (claim != Claim::granted) continue;
          if (!store->finish(std::to_string(i)).empty()) _exit(3);
          if (write(ends[1], &i, 1) != 1) _exit(4);
        }
      } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        _exit(5);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  close(ends[1]);
  std::vector<int> granted(calls);
  for (unsigned char i = 0; read(ends[0], &i, 1) == 1;) ++granted.at(i);
  close(ends[0]);
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_THAT(granted, ::testing::Each(1));
}

TEST_P(SharedStoreTest, WhatIsRecordedIsThereForTheNextProcess) {
  open(long_lives)->finish("k");
  EXPECT_EQ(open(long_lives)->claim("k", "aa").claim, Claim::done);
}

TEST_P(RedisStoreTest, ARedisThatGoesAwayFailsAndOneThatComesBackIsFound) {
  const auto store = open(long_lives);
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::granted);
  redis().stop();
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::failed);
  EXPECT_THAT(store->finish("k"), HasSubstr(redis().socket()));
  redis().start();
  EXPECT_EQ(store->claim("k", "aa").claim, Claim::granted);
}

TEST_P(RedisStoreTest, ARedisIsReachedByTcpWithADatabaseAndAPassword) {
  const stores::RedisProcess guarded("se@cret");
  const auto at = [&](std::string_view password, std::string_view database) {
    return make_store(fmt::format("redis://{}127.0.0.1:{}{}", password, guarded.port(), database),
                      long_lives);
  };
  EXPECT_EQ(at(":se@cret@", "/3")->finish("k"), "");
  EXPECT_EQ(at(":se@cret@", "/3")->claim("k", "aa").claim, Claim::done);
  EXPECT_EQ(at(":se@cret@", "")->claim("k", "aa").claim, Claim::granted) << "another database";
  EXPECT_THROW(at("", ""), Error);
  EXPECT_THROW(at(":wrong@", ""), Error);
}

TEST(MemoryStoreTest, TheOldestAreForgottenBeyondTheLimit) {
  const auto store = make_store("memory:3", long_lives);
  for (const char* key : {"1", "2", "3", "4"}) store->finish(key);
  EXPECT_EQ(store->claim("1", "aa").claim, Claim::granted);
  EXPECT_EQ(store->claim("2", "aa").claim, Claim::done);
  EXPECT_EQ(store->claim("4", "aa").claim, Claim::done);
}

TEST(SqliteStoreTest, AFileThatCannotBeOpenedIsNamed) {
  try {
    make_store("sqlite:/nowhere/at/all.db", long_lives);
    FAIL() << "there is no such folder";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/at/all.db"));
  }
}

}  // namespace
}  // namespace cfd::once
