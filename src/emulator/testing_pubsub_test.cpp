// The server as a library of tests, seen by a real client.
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <cfd/error.hpp>
#include <cfd/testing/pubsub.hpp>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "emulator/faults.hpp"

namespace cfd::testing {
namespace {

namespace v1 = pubsub::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using namespace std::chrono_literals;

std::vector<std::string> data_of(const std::vector<PulledMessage>& messages) {
  std::vector<std::string> data;
  for (const auto& message : messages) data.push_back(message.data);
  return data;
}

/// A client of somebody else's.
class Client {
 public:
  explicit Client(const PubSub& pubsub) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    publisher_ = v1::Publisher::NewStub(
        grpc::CreateCustomChannel(pubsub.host(), grpc::InsecureChannelCredentials(), arguments));
  }
  int publish(const std::string& data) {
    v1::PublishRequest request;
    request.set_topic("projects/test-project/topics/orders");
    request.add_messages()->set_data(data);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 60s);
    v1::PublishResponse response;
    return publisher_->Publish(&context, request, &response).error_code();
  }

 private:
  std::unique_ptr<v1::Publisher::Stub> publisher_;
};

class TestingPubSubTest : public ::testing::Test {
 protected:
  TestingPubSubTest() {
    pubsub.create_topic("orders");
    pubsub.create_subscription("worker", "orders");
  }
  PubSub pubsub{PubSub::Time::manual};
};

TEST_F(TestingPubSubTest, PublishesPullsAndAcknowledges) {
  pubsub.publish("orders", "one", {{"key", "value"}});
  ASSERT_EQ(Client(pubsub).publish("two"), 0);
  EXPECT_EQ(pubsub.backlog("worker"), 2U);
  const auto messages = pubsub.pull("worker");
  EXPECT_THAT(data_of(messages), ElementsAre("one", "two"));
  EXPECT_THAT(messages[0].attributes, ElementsAre(Pair("key", "value")));
  pubsub.acknowledge("worker", messages[0]);
  pubsub.nack("worker", messages[1]);
  EXPECT_THAT(data_of(pubsub.pull("worker")), ElementsAre("two"));
}

TEST_F(TestingPubSubTest, TimeMovesWhenTold) {
  pubsub.publish("orders", "one");
  EXPECT_THAT(pubsub.pull("worker"), SizeIs(1));
  pubsub.advance(9s);
  EXPECT_THAT(pubsub.pull("worker"), IsEmpty());
  pubsub.advance(2s);
  EXPECT_THAT(pubsub.pull("worker"), SizeIs(1)) << "the deadline has passed";
  EXPECT_THROW(PubSub().advance(1s), Error);
}

TEST_F(TestingPubSubTest, FailsAndDuplicatesTheNextCallsAndNoMore) {
  Client client(pubsub);
  pubsub.fail_next("Publish", 14, 2);
  EXPECT_EQ(client.publish("no"), 14);
  EXPECT_EQ(client.publish("no"), 14);
  pubsub.duplicate_next();
  EXPECT_EQ(client.publish("twice"), 0);
  EXPECT_EQ(client.publish("once"), 0);
  EXPECT_THAT(data_of(pubsub.pull("worker")), ElementsAre("twice", "twice", "once"));
}

TEST(FaultsTest, HoldsSoManyCallsAndLetsThemGoTheLastOneFirst) {
  emulator::ManualClock clock;
  emulator::Scheduler scheduler(clock);
  emulator::Faults faults(scheduler);
  std::vector<int> order;
  const auto call = [&](int number) {
    faults.apply("Publish", [&order, number](const emulator::Fault&) { order.push_back(number); });
  };
  faults.add({.method = "Publish", .count = 3, .reorder = true});
  call(1);
  call(2);
  EXPECT_THAT(order, IsEmpty());
  call(3);
  call(4);
  EXPECT_THAT(order, ElementsAre(3, 2, 1, 4));
}

TEST_F(TestingPubSubTest, WhatIsHeldGoesOnWhenFaultsEnd) {
  Client client(pubsub);
  pubsub.reorder_next("Publish", 2);
  std::thread held([&] { EXPECT_EQ(client.publish("held"), 0); });
  while (pubsub.backlog("worker") == 0) {
    pubsub.clear_faults();
    std::this_thread::sleep_for(1ms);
  }
  held.join();
  EXPECT_THAT(data_of(pubsub.pull("worker")), ElementsAre("held"));
}

TEST_F(TestingPubSubTest, SaysWhatIsWrong) {
  try {
    pubsub.create_subscription("other", "no-such-topic");
    FAIL() << "created";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("projects/test-project/topics/no-such-topic"));
  }
}

}  // namespace
}  // namespace cfd::testing
