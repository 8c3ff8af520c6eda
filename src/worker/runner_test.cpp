#include "worker/runner.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>
#include <cfd/error.hpp>

#include "settings/settings.hpp"
#include "transport/transport.hpp"

namespace cfd::worker {
namespace {

using namespace std::chrono_literals;
using settings::Key;
using ::testing::HasSubstr;

std::atomic<int> executed = 0;
std::atomic<bool> saw_stop = false;

const auto count = dispatch("runner_test.count", [](int by) { executed += by; });

const auto until_stopped = dispatch("runner_test.until_stopped", [](std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, 30s, [] { return false; });
  saw_stop = stop.stop_requested();
});

// What was published, and what the publisher is to do with it.
struct Published {
  std::string data;
  std::map<std::string, std::string> attributes;
};
std::vector<Published> published;
bool broken = false;
std::string published_to;

class RecordingPublisher final : public transport::Publisher {
 public:
  void publish(const transport::Outgoing& message, detail::CallStatePtr call) override {
    if (broken) return call->fail("NOT_FOUND", "no such topic");
    Published& entry = published.emplace_back();
    entry.data = message.data;
    for (const Attribute& a : message.attributes) entry.attributes.emplace(a.key, a.value);
    call->confirm("99");
  }
  std::size_t flush(transport::Clock::time_point) override { return 0; }
  std::size_t close(transport::Clock::time_point) override { return 0; }
};

std::unique_ptr<transport::Publisher> make_recording_publisher(const transport::PublisherConfig& config) {
  published_to = config.topic;
  return std::make_unique<RecordingPublisher>();
}

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    settings::reset();
    for (const settings::Description& row : settings::describe()) ::unsetenv(row.variable.data());
    transport::set_backend({});
    published.clear();
    broken = false;
    executed = 0;
    saw_stop = false;
  }
  void TearDown() override { SetUp(); }

  static Event plain(std::string_view data) {
    Event event;
    event.id = "7";
    event.subscription = "projects/p/subscriptions/my-subscription";
    event.publish_time = "2026-01-01T00:00:00Z";
    event.data = data;
    return event;
  }
};

constexpr std::string_view good = R"({"function":"runner_test.count","args":[2]})";
constexpr std::string_view unknown = R"({"function":"runner_test.nothing","args":[]})";
constexpr std::string_view endless = R"({"function":"runner_test.until_stopped","args":[]})";

TEST_F(RunnerTest, ExecutesAndRejects) {
  Runner runner;
  EXPECT_EQ(runner.run(plain(good), {}).verdict, Verdict::executed);
  EXPECT_EQ(executed, 2);
  EXPECT_EQ(runner.run(plain(unknown), {}).verdict, Verdict::reject);
}

TEST_F(RunnerTest, AFunctionBeyondItsTimeIsAskedToStopAndItsResultIsDiscarded) {
  settings::set(Key::function_timeout, "20ms", settings::Origin::code);
  Runner runner;
  const Outcome outcome = runner.run(plain(endless), {});
  EXPECT_TRUE(saw_stop);
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_EQ(outcome.reason, "timed out after 20ms");
}

TEST_F(RunnerTest, ALeaseIsLetGoWhenTheTimeIsOverAndNotBefore) {
  struct Counted final : transport::Lease {
    void let_go() noexcept override { ++times; }
    std::atomic<int> times = 0;
  } lease;
  settings::set(Key::function_timeout, "20ms", settings::Origin::code);
  Runner runner;
  EXPECT_EQ(runner.run(plain(endless), {}, &lease).verdict, Verdict::retry);
  EXPECT_EQ(lease.times, 1);
  EXPECT_EQ(runner.run(plain(good), {}, &lease).verdict, Verdict::executed);
  EXPECT_EQ(lease.times, 1);
}

const auto limited = dispatch(
    "runner_test.limited",
    [](std::stop_token stop, int) {
      std::mutex mutex;
      std::condition_variable_any changed;
      std::unique_lock lock(mutex);
      changed.wait_for(lock, stop, 30s, [] { return false; });
      saw_stop = stop.stop_requested();
    },
    timeout(20ms), arg("number"));

const auto patient = dispatch(
    "runner_test.patient", [] { std::this_thread::sleep_for(50ms); }, timeout(1h));

const auto elsewhere = declare<void(int)>("runner_test.elsewhere");
const auto here = implement(
    elsewhere,
    [](std::stop_token stop, int) {
      while (!stop.stop_requested()) std::this_thread::yield();
    },
    timeout(20ms));

TEST_F(RunnerTest, AFunctionsOwnTimeWinsOverTheSettings) {
  EXPECT_EQ(Runner().run(plain(R"({"function":"runner_test.limited","kwargs":{"number":1}})"), {}).reason,
            "timed out after 20ms");
  EXPECT_TRUE(saw_stop);
  settings::set(Key::function_timeout, "1h", settings::Origin::code);
  EXPECT_EQ(Runner().run(plain(R"({"function":"runner_test.limited","args":[1]})"), {}).reason,
            "timed out after 20ms");
  EXPECT_EQ(Runner().run(plain(R"({"function":"runner_test.elsewhere","args":[1]})"), {}).reason,
            "timed out after 20ms");
  settings::set(Key::function_timeout, "1ms", settings::Origin::code);
  EXPECT_EQ(Runner().run(plain(R"({"function":"runner_test.patient","args":[]})"), {}).verdict,
            Verdict::executed);
}

TEST_F(RunnerTest, WhatAFunctionReturnsAfterItsLeaseWasLostCountsForNothing) {
  std::stop_source lost;
  lost.request_stop();
  std::stop_source ending;
  Runner runner("s", ending.get_token());
  const Outcome outcome = runner.run(plain(endless), lost.get_token());
  EXPECT_TRUE(saw_stop);
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_EQ(outcome.reason, "its lease ended while it ran");
  ending.request_stop();
  EXPECT_EQ(runner.run(plain(endless), lost.get_token()).verdict, Verdict::executed);
}

TEST_F(RunnerTest, AStopFromOutsideReachesTheFunctionThroughTheTimeout) {
  settings::set(Key::function_timeout, "1h", settings::Origin::code);
  Runner runner;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(runner.run(plain(endless), stop.get_token()).verdict, Verdict::executed);
  EXPECT_TRUE(saw_stop);
}

TEST_F(RunnerTest, RejectedMessagesGoToTheDeadLetterTopicAndCountAsDone) {
  settings::set(Key::dead_letter_topic, "my-dead-letters", settings::Origin::code);
  settings::set(Key::project, "my-project", settings::Origin::code);
  transport::set_backend({make_recording_publisher, nullptr});
  Runner runner;
  EXPECT_EQ(published_to, "projects/my-project/topics/my-dead-letters");
  Event event = plain(unknown);
  const std::vector<Attribute> attributes{{"a", "b"}};
  event.attributes = attributes;
  EXPECT_EQ(runner.run(event, {}).verdict, Verdict::executed);
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].data, unknown);
  EXPECT_EQ(published[0].attributes["a"], "b");
  EXPECT_THAT(published[0].attributes["cfd_dead_letter_reason"], HasSubstr("unknown function"));
  EXPECT_EQ(published[0].attributes["CloudPubSubDeadLetterSourceSubscription"], "my-subscription");
  EXPECT_EQ(runner.run(plain(good), {}).verdict, Verdict::executed);
  EXPECT_EQ(published.size(), 1U);
}

TEST_F(RunnerTest, WhatTheDeadLetterTopicDoesNotTakeIsNotDone) {
  settings::set(Key::dead_letter_topic, "my-dead-letters", settings::Origin::code);
  settings::set(Key::project, "my-project", settings::Origin::code);
  transport::set_backend({make_recording_publisher, nullptr});
  Runner runner;
  broken = true;
  EXPECT_EQ(runner.run(plain(unknown), {}).verdict, Verdict::reject);
}

TEST_F(RunnerTest, ADeadLetterTopicWithoutATransportIsSaidAtTheStart) {
  settings::set(Key::dead_letter_topic, "my-dead-letters", settings::Origin::code);
  try {
    const Runner runner;
    FAIL() << "there is nothing to publish with";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cfd::cfd"));
  }
}

}  // namespace
}  // namespace cfd::worker
