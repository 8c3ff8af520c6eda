#pragma once

/// \file
/// For tests: a server with one topic, and a client of it over a real gRPC channel.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "emulator/server.hpp"

namespace cfd::emulator {

namespace v1 = pubsub::v1;

inline constexpr auto patience = std::chrono::seconds(60);
inline constexpr const char* topic_name = "projects/p/topics/topic";
inline constexpr const char* subscription_name = "projects/p/subscriptions/sub";

inline std::unique_ptr<grpc::ClientContext> context() {
  auto made = std::make_unique<grpc::ClientContext>();
  made->set_deadline(std::chrono::system_clock::now() + patience);
  return made;
}

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server.start();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    // Tests run in one process; a channel of its own keeps one test's connection from another's server.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel(server.host(), grpc::InsecureChannelCredentials(), arguments);
    publisher = v1::Publisher::NewStub(channel);
    subscriber = v1::Subscriber::NewStub(channel);
    v1::Topic topic;
    topic.set_name(topic_name);
    check(publisher->CreateTopic(context().get(), topic, &topic));
  }

  static void check(const grpc::Status& status) { ASSERT_TRUE(status.ok()) << status.error_message(); }

  static v1::Subscription subscription() {
    v1::Subscription wanted;
    wanted.set_name(subscription_name);
    wanted.set_topic(topic_name);
    return wanted;
  }
  void create(const v1::Subscription& wanted) {
    v1::Subscription made;
    check(subscriber->CreateSubscription(context().get(), wanted, &made));
  }

  std::vector<std::string> publish(const std::vector<std::string>& data) {
    v1::PublishRequest request;
    request.set_topic(topic_name);
    for (const auto& one : data) request.add_messages()->set_data(one);
    v1::PublishResponse response;
    check(publisher->Publish(context().get(), request, &response));
    return {response.message_ids().begin(), response.message_ids().end()};
  }

  v1::PullResponse pull(int max_messages = 1000, bool wait = true) {
    v1::PullRequest request;
    request.set_subscription(subscription_name);
    request.set_max_messages(max_messages);
    request.set_return_immediately(!wait);
    v1::PullResponse response;
    check(subscriber->Pull(context().get(), request, &response));
    return response;
  }

  Server server;
  std::unique_ptr<v1::Publisher::Stub> publisher;
  std::unique_ptr<v1::Subscriber::Stub> subscriber;
};

}  // namespace cfd::emulator
