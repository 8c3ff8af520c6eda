// The calling side against a real server: what outlives a kill, what a failed call tells, and what many calls
// take.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>

#include "integration/deployment.hpp"

namespace cfd::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The numbers behind `mark` in `text`.
std::vector<int> numbers(const std::string& text, const std::string& mark) {
  std::vector<int> found;
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
    at += mark.size();
    const std::size_t end = text.find(';', at);
    if (end != std::string::npos) found.push_back(std::stoi(text.substr(at, end - at)));
  }
  return found;
}

class Calling : public Deployment {
 protected:
  void SetUp() override {
    Deployment::SetUp();
    if (!IsSkipped()) pubsub().create_subscription(subscription(), topic());
  }

  std::string file() const { return directory() / "outbox.db"; }

  /// Runs the survivor again and again, each time until it is killed, and at last lets it send what is left.
  /// Returns the numbers whose calls have returned.
  std::set<int> run_and_kill(const std::string& mode, int kills) {
    std::set<int> made;
    std::minstd_rand random(17);
    for (int kill = 0; kill < kills; ++kill) {
      // Far beyond what the run before can have reached without saying so.
      const int first = made.empty() ? 0 : *made.rbegin() + 1000;
      Process survivor({CFD_TEST_SURVIVOR, mode, file(), std::to_string(first)}, settings());
      survivor.wait_for("made ");
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));  // a moment of no importance
      survivor.signal(SIGKILL);
      survivor.wait();
      for (const int number : numbers(survivor.output(), "made ")) made.insert(number);
    }
    Process rest({CFD_TEST_SURVIVOR, "rest", file(), "0"}, settings());
    EXPECT_EQ(rest.wait(), 0) << rest.output();
    return made;
  }

  /// The numbers of the calls that have arrived, in the order in which they were published, as often as they
  /// were.
  std::vector<int> arrived() {
    std::map<std::uint64_t, int> by_id;
    for (auto some = pubsub().pull_once(subscription(), std::chrono::seconds(2)); !some.empty();
         some = pubsub().pull_once(subscription(), std::chrono::seconds(2)))
      for (const Received& message : some)
        by_id[std::stoull(message.message_id)] = numbers(message.data, "call #").at(0);
    std::vector<int> in_order;
    for (const auto& [id, number] : by_id) in_order.push_back(number);
    return in_order;
  }
};

INSTANTIATE_TEST_SUITE_P(By, Calling, testing::Values(Delivery::pull), delivery_name);

TEST_P(Calling, AnOutboxOutlivesEveryKill) {
  const std::set<int> made = run_and_kill("calls", 8);
  const std::vector<int> all = arrived();
  const std::set<int> distinct(all.begin(), all.end());
  EXPECT_TRUE(std::includes(distinct.begin(), distinct.end(), made.begin(), made.end()))
      << "a call that had returned was lost";
  EXPECT_LE(distinct.size(), made.size() + 8)
      << "at most the call under way at each kill had not returned yet";
  // A kill between a confirmation and its note in the journal sends one round again, of a thousand at most.
  EXPECT_LE(all.size(), distinct.size() + std::size_t{8} * 1000);
  std::set<int> seen;
  int last = -1;
  for (const int number : all) {
    if (!seen.insert(number).second) continue;
    EXPECT_GT(number, last) << "out of order";
    last = number;
  }
}

TEST_P(Calling, ACallIsSentIfAndOnlyIfItsTransactionCommits) {
  const std::set<int> made = run_and_kill("orders", 8);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
  std::set<int> orders;
  const auto collect = [](void* into, int, char** values, char**) {
    static_cast<std::set<int>*>(into)->insert(std::stoi(values[0]));
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(database, "SELECT number FROM orders", collect, &orders, nullptr), SQLITE_OK);
  sqlite3_close(database);
  EXPECT_TRUE(std::includes(orders.begin(), orders.end(), made.begin(), made.end()));
  const std::vector<int> all = arrived();
  EXPECT_EQ(std::set<int>(all.begin(), all.end()), orders);
}

TEST_P(Calling, ManyCallsTakeNoMoreMemoryThanFew) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps what is freed";
#endif
  ASSERT_EQ(call("map", "300000"), 0) << caller_output();
  EXPECT_THAT(caller_output(), HasSubstr("300000 calls, 300000 confirmed, 0 failed"));
  const std::size_t at = caller_output().find("grew by ");
  ASSERT_NE(at, std::string::npos) << caller_output();
  // From the twentieth thousand on. A handle kept for each call would take some thirty megabytes.
  EXPECT_LT(std::stoi(caller_output().substr(at + 8)), 12) << caller_output();
}

TEST_P(Calling, AKeyThatHasFailedGoesOnWhenItIsResumed) {
  auto environment = settings();
  environment["CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC"] = topic() + "-later";
  const std::string gate = directory() / "gate";
  Process caller({CFD_TEST_CALLER, "resume", gate}, environment);
  caller.wait_for("first: NOT_FOUND");
  caller.wait_for("second: FAILED_PRECONDITION");
  pubsub().create_topic(topic() + "-later");
  pubsub().create_subscription(topic() + "-later", topic() + "-later");
  std::ofstream(gate) << "open";
  EXPECT_EQ(caller.wait(), 0) << caller.output();
  EXPECT_THAT(caller.output(), HasSubstr("third: OK"));
  EXPECT_THAT(pubsub().pull(topic() + "-later", 1).at(0).data, HasSubstr("third"));
}

TEST_P(Calling, TheHookHearsOfACallThatFailsAndMayEndTheProgram) {
  auto environment = settings();
  environment["CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC"] = topic() + "-nowhere";
  Process caller({CFD_TEST_CALLER, "exit_in_hook", "lost"}, environment);
  EXPECT_EQ(caller.wait(), 7) << caller.output();
  EXPECT_THAT(caller.output(), HasSubstr("hook: t.say NOT_FOUND"));
  EXPECT_THAT(caller.output(), Not(HasSubstr("not reached")));
}

}  // namespace
}  // namespace cfd::integration
