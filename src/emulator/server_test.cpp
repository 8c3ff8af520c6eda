// The server over real gRPC channels and real HTTP.
#include <thread>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <cfd/error.hpp>

#include "cfd/rpc/status.pb.h"
#include "emulator/broker.hpp"
#include "emulator/server_fixture.hpp"

namespace cfd::emulator {
namespace {

using google::protobuf::Empty;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using namespace std::chrono_literals;

TEST_F(ServerTest, PublishesPullsAndAcknowledges) {
  create(subscription());
  const auto ids = publish({"a", "b"});
  ASSERT_THAT(ids, SizeIs(2));
  const auto response = pull();
  ASSERT_EQ(response.received_messages_size(), 2);
  EXPECT_EQ(response.received_messages(1).message().data(), "b");
  EXPECT_EQ(response.received_messages(1).message().message_id(), ids[1]);
  EXPECT_GT(response.received_messages(1).message().publish_time().seconds(), 1'600'000'000);
  v1::AcknowledgeRequest acknowledge;
  acknowledge.set_subscription(subscription_name);
  for (const auto& received : response.received_messages()) acknowledge.add_ack_ids(received.ack_id());
  Empty empty;
  check(subscriber->Acknowledge(context().get(), acknowledge, &empty));
  EXPECT_EQ(pull(1000, false).received_messages_size(), 0);
}

TEST_F(ServerTest, APullWaitsForAMessage) {
  create(subscription());
  v1::PullResponse response;
  std::thread waiting([&] { response = pull(); });
  publish({"late"});
  waiting.join();
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_EQ(response.received_messages(0).message().data(), "late");
}

TEST_F(ServerTest, CarriesMessagesOfTenMegabytes) {
  create(subscription());
  const std::string large(9'999'000, 'x');
  publish({large});
  const auto response = pull();
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_TRUE(response.received_messages(0).message().data() == large);
}

TEST_F(ServerTest, MissingResourcesAreNotFound) {
  v1::PublishRequest publish_request;
  publish_request.set_topic("projects/p/topics/missing");
  publish_request.add_messages()->set_data("x");
  v1::PublishResponse published;
  EXPECT_EQ(publisher->Publish(context().get(), publish_request, &published).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::PullRequest pull_request;
  pull_request.set_subscription("projects/p/subscriptions/missing");
  pull_request.set_max_messages(1);
  v1::PullResponse pulled;
  EXPECT_EQ(subscriber->Pull(context().get(), pull_request, &pulled).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, FailsDelaysAndDuplicatesOnDemand) {
  create(subscription());
  auto& faults = server.broker().faults();
  faults.add({.method = "Publish", .count = 2, .status = {Code::unavailable, "injected"}});
  faults.add({.method = "Publish", .delay = 100ms, .duplicate = true});
  v1::PublishRequest request;
  request.set_topic(topic_name);
  request.add_messages()->set_data("a");
  v1::PublishResponse response;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(publisher->Publish(context().get(), request, &response).error_code(),
              grpc::StatusCode::UNAVAILABLE);
  }
  const auto start = std::chrono::steady_clock::now();
  check(publisher->Publish(context().get(), request, &response));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
  EXPECT_EQ(pull().received_messages_size(), 2) << "twice";
  faults.add({.method = "Pull", .status = {Code::internal, "injected"}});
  v1::PullRequest pull_request;
  pull_request.set_subscription(subscription_name);
  pull_request.set_max_messages(1);
  v1::PullResponse pulled;
  EXPECT_EQ(subscriber->Pull(context().get(), pull_request, &pulled).error_code(),
            grpc::StatusCode::INTERNAL);
}

TEST_F(ServerTest, ATakenPortIsAnErrorThatSaysSo) {
  Server second({.address = "127.0.0.1", .port = server.port()});
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(server.port())));
    EXPECT_THAT(error.what(), HasSubstr("port is in use"));
  }
}

}  // namespace
}  // namespace cfd::emulator
