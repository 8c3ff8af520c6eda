#include "emulator/message_log.hpp"

#include <thread>

#include "emulator/broker_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::SizeIs;

class MessageLogTest : public BrokerFixture {
 protected:
  std::vector<Step> steps_of(std::uint64_t message) const {
    std::vector<Step> steps;
    for (const auto& record : broker.log().records()) {
      if (record.message == message) steps.push_back(record.step);
    }
    return steps;
  }
};

TEST_F(MessageLogTest, TellsAMessagesLife) {
  create(subscription());
  publish("a");
  const auto batches = broker.log().batches();
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].topic, test_topic);
  const auto id = batches[0].batch->id(0);
  nack(pull().at(0));
  pull();
  advance(std::chrono::seconds{11});
  ack(pull().at(0));
  EXPECT_THAT(steps_of(id), ElementsAre(Step::delivered, Step::nacked, Step::delivered, Step::deadline_passed,
                                        Step::delivered, Step::acknowledged));
}

TEST_F(MessageLogTest, HoldsTheLatestRecordsOnly) {
  MessageLog log;
  EXPECT_TRUE(log.records().empty());
  for (std::uint64_t i = 0; i < MessageLog::max_records + 10; ++i)
    log.record(Step::delivered, 7, i, Time{}, 3);
  const auto records = log.records();
  ASSERT_THAT(records, SizeIs(MessageLog::max_records));
  EXPECT_EQ(records.front().message, 10U);
  EXPECT_EQ(records.back().message, MessageLog::max_records + 9);
  EXPECT_EQ(records.back().subscription, 7U);
  EXPECT_EQ(records.back().detail, 3U);
}

TEST_F(MessageLogTest, HoldsBatchesOfBoundedSize) {
  MessageLog log;
  const std::string message(1U << 20U, 'x');
  for (std::uint64_t i = 0; i < 6; ++i) log.published("t", build_batch({{}, {message}}, i, Time{}));
  EXPECT_THAT(log.batches(), SizeIs(3));  // with its id and time each is above 1 MiB
  EXPECT_EQ(log.batches().back().batch->id(0), 5U);
}

TEST_F(MessageLogTest, NeverMixesRecordsOfSeveralThreads) {
  MessageLog log;
  {
    std::vector<std::jthread> writers;
    for (std::uint32_t writer = 1; writer <= 3; ++writer) {
      writers.emplace_back([&log, writer] {
        for (std::uint32_t i = 0; i < 50'000; ++i) {
          log.record(Step::delivered, writer, writer, Time{std::chrono::microseconds{writer}}, writer);
        }
      });
    }
    for (int i = 0; i < 20; ++i) {
      for (const auto& record : log.records()) {
        ASSERT_EQ(record.message, record.subscription);
        ASSERT_EQ(record.detail, record.subscription);
        ASSERT_EQ(record.time, Time{std::chrono::microseconds{record.subscription}});
      }
    }
  }
  EXPECT_THAT(log.records(), SizeIs(Gt(MessageLog::max_records - 100)));  // a writer held up loses its place
}

TEST_F(MessageLogTest, SaysWhyAMessageIsADeadLetter) {
  create_topic("projects/p/topics/dead");
  auto wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/dead");
  create(wanted);
  publish("poison");
  for (int i = 0; i < 5; ++i) nack(pull().at(0));
  const auto letters = broker.log().dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].subscription, test_subscription);
  EXPECT_EQ(letters[0].source_topic, test_topic);
  EXPECT_EQ(letters[0].topic, "projects/p/topics/dead");
  EXPECT_EQ(letters[0].attempts, 5U);
  EXPECT_EQ(broker.log().batches().back().batch->id(0), letters[0].copy);
  EXPECT_EQ(steps_of(letters[0].message).back(), Step::dead_lettered);
}

}  // namespace
}  // namespace cfd::emulator
