// What a call goes through between two processes, once for each way a message is delivered.
#include <csignal>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "integration/deployment.hpp"

namespace cfd::integration {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

using DeliveryTest = Deployment;
INSTANTIATE_TEST_SUITE_P(By, DeliveryTest, testing::Values(Delivery::push, Delivery::pull), delivery_name);

TEST_P(DeliveryTest, ACallIsExecutedByTheWorker) {
  Process& worker = start_worker();
  ASSERT_EQ(call("say", "hello"), 0) << caller_output();
  EXPECT_THAT(caller_output(), HasSubstr("pushing function call to pubsub: t.say"));
  EXPECT_THAT(caller_output(), Not(HasSubstr("said hello")));
  worker.wait_for("finished with status: 'ok'");
  EXPECT_THAT(worker.output(), HasSubstr("Function execution started"));
  EXPECT_THAT(worker.output(), HasSubstr("executing: t.say"));
  EXPECT_THAT(worker.output(), HasSubstr("said hello"));
}

TEST_P(DeliveryTest, AnyArgumentsArriveAsTheyWere) {
  Process& worker = start_worker();
  ASSERT_EQ(call("echo", "7"), 0) << caller_output();
  worker.wait_for(R"(echo called with args=[1, "a"], kwargs={"x": 7})");
}

TEST_P(DeliveryTest, ACallThatThrowsIsRunAgain) {
  Process& worker = start_worker();
  ASSERT_EQ(call("fail_once", directory() / "failed"), 0) << caller_output();
  worker.wait_for("not today");
  worker.wait_for("this time it worked");
  EXPECT_EQ(count(worker.output(), "executing: t.fail_once"), 2);
}

TEST_P(DeliveryTest, AnUnknownFunctionIsNeverAcknowledged) {
  Process& worker = start_worker();
  ASSERT_EQ(call("stranger", "1"), 0) << caller_output();
  worker.wait_for("t.stranger");
  EXPECT_THAT(worker.output(), Not(HasSubstr("status: 'ok'")));
  const auto left = unacknowledged(1);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].attributes.at("function"), "t.stranger");
}

TEST_P(DeliveryTest, BytesThatDoNotDecodeAreNeverAcknowledged) {
  Process& worker = start_worker();
  const std::string id =
      pubsub().publish(topic(), std::string("\xc1\xff\x00\x93", 4), {{"function", "t.say"}});
  worker.wait_for(id);
  const auto left = unacknowledged(1);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].message_id, id);
  EXPECT_THAT(worker.output(), Not(HasSubstr("status: 'ok'")));
}

TEST_P(DeliveryTest, AWorkerPublishesWhatItRejectsToItsDeadLetterTopicAndThenAcknowledges) {
  const std::string letters = topic() + "-letters";
  pubsub().create_topic(letters);
  pubsub().create_subscription(letters, letters);
  Process& worker = start_worker({{"CLOUD_FUNCTIONS_DISPATCH_DEAD_LETTER_TOPIC", letters}});
  ASSERT_EQ(call("stranger", "1"), 0) << caller_output();
  const auto received = pubsub().pull(letters, 1);
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].attributes.at("function"), "t.stranger");
  EXPECT_THAT(received[0].attributes.at("cfd_dead_letter_reason"), HasSubstr("unknown function"));
  EXPECT_EQ(received[0].attributes.at("CloudPubSubDeadLetterSourceSubscription"), subscription());
  worker.wait_for("went to the dead-letter topic");
  worker.signal(SIGTERM);
  ASSERT_EQ(worker.wait(), 0) << worker.output();
  if (GetParam() == Delivery::push) pubsub().stop_pushing(subscription());
  EXPECT_THAT(pubsub().pull_once(subscription(), std::chrono::milliseconds(500)), SizeIs(0));
}

TEST_P(DeliveryTest, WhatCannotGoToTheDeadLetterTopicIsNotAcknowledged) {
  Process& worker = start_worker({{"CLOUD_FUNCTIONS_DISPATCH_DEAD_LETTER_TOPIC", "no-such-topic"}});
  ASSERT_EQ(call("stranger", "1"), 0) << caller_output();
  worker.wait_for("could not be published to the dead-letter topic");
  const auto left = unacknowledged(1);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].attributes.at("function"), "t.stranger");
}

TEST_P(DeliveryTest, PlainJsonFromAnyLanguageIsExecuted) {
  Process& worker = start_worker();
  pubsub().publish(topic(), R"({"function":"t.say","args":["from afar"]})");
  pubsub().publish(topic(), R"({"function":"t.echo","args":[1,2.5,null],"kwargs":{"cheer":"yay"}})");
  worker.wait_for("said from afar");
  worker.wait_for(R"(kwargs={"cheer": "yay"})");
}

TEST_P(DeliveryTest, AFunctionMayDispatch) {
  Process& worker = start_worker();
  ASSERT_EQ(call("forward", "twice"), 0) << caller_output();
  worker.wait_for("said forwarded twice");
  worker.wait_for("finished with status: 'ok'", 2);
}

TEST_P(DeliveryTest, TheBuiltInPingGoesThereAndOnward) {
  Process& worker = start_worker();
  pubsub().publish(topic(),
                   R"({"function":"cfd.ping_forward_to_show_args","args":[1],"kwargs":{"who":"me"}})");
  worker.wait_for("executing: cfd.ping_forward_to_show_args");
  worker.wait_for("executing: cfd.ping_show_args");
  worker.wait_for("finished with status: 'ok'", 2);
}

TEST_P(DeliveryTest, OnSigtermARunningFunctionEndsFirst) {
  Process& worker = start_worker();
  ASSERT_EQ(call("wait_for_gate", directory() / "gate"), 0) << caller_output();
  worker.wait_for("waiting at the gate");
  worker.signal(SIGTERM);
  std::ofstream(directory() / "gate") << "open";
  EXPECT_EQ(worker.wait(), 0) << worker.output();
  EXPECT_THAT(worker.output(), HasSubstr("through the gate"));
  EXPECT_THAT(worker.output(), HasSubstr("finished with status: 'ok'"));
}

TEST_P(DeliveryTest, AnIdleWorkerEndsAtOnceOnSigterm) {
  Process& worker = start_worker();
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), 0) << worker.output();
}

TEST_P(DeliveryTest, ACallOfAKilledWorkerIsRunByTheNext) {
  // Seen with version 0.8.20: a plain Pull gets nothing either, long after the lease has run out.
  if (Server::is_google() && GetParam() == Delivery::pull)
    GTEST_SKIP() << "Google's emulator does not deliver again what a killed puller held";
  Process& killed = start_worker();
  ASSERT_EQ(call("hang_once", directory() / "hung"), 0) << caller_output();
  killed.wait_for("hanging");
  killed.signal(SIGKILL);
  ASSERT_EQ(killed.wait(), 128 + SIGKILL);
  Process& next = start_worker();
  next.wait_for("ran to its end");
  next.wait_for("finished with status: 'ok'");
}

TEST_P(DeliveryTest, AThousandCallsAreAllExecuted) {
  Process& worker = start_worker();
  ASSERT_EQ(call("many", "1000"), 0) << caller_output();
  worker.wait_for("finished with status: 'ok'", 1000);
  for (int i = 0; i < 1000; ++i)
    ASSERT_GE(count(worker.output(), "said number " + std::to_string(i) + "\n"), 1) << i;
}

TEST_P(DeliveryTest, OnCloudRunEveryLineIsAJsonObject) {
  Process& worker = start_worker({{"K_SERVICE", "my-service"}});
  ASSERT_EQ(call("say", "structured"), 0) << caller_output();
  worker.wait_for("finished with status: 'ok'");
  worker.signal(SIGTERM);
  ASSERT_EQ(worker.wait(), 0);
  std::istringstream lines(worker.output());
  bool said = false;
  for (std::string line; std::getline(lines, line);) {
    const boost::json::object entry = boost::json::parse(line).as_object();
    EXPECT_TRUE(entry.at("severity").is_string()) << line;
    EXPECT_TRUE(entry.at("time").is_string()) << line;
    said = said || entry.at("message") == "said structured";
  }
  EXPECT_TRUE(said) << worker.output();
}

}  // namespace
}  // namespace cfd::integration
