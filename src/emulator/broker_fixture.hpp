#pragma once

/// \file
/// A broker under a clock that tests move, with short ways to use it.

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/broker.hpp"

namespace cfd::emulator {

inline constexpr const char* test_topic = "projects/p/topics/topic";
inline constexpr const char* test_subscription = "projects/p/subscriptions/sub";

class BrokerFixture : public ::testing::Test {
 protected:
  void SetUp() override { create_topic(test_topic); }

  void create_topic(const std::string& name) {
    v1::Topic topic;
    topic.set_name(name);
    const auto status = broker.create_topic(topic, topic);
    ASSERT_TRUE(status.ok()) << status.message;
  }

  static v1::Subscription subscription(const std::string& name = test_subscription) {
    v1::Subscription subscription;
    subscription.set_name(name);
    subscription.set_topic(test_topic);
    return subscription;
  }

  void create(const v1::Subscription& wanted) {
    v1::Subscription made;
    const auto status = broker.create_subscription(wanted, made);
    ASSERT_TRUE(status.ok()) << status.message;
  }

  void publish(const std::string& data, const std::string& key = {}, const std::string& attribute = {},
               const std::string& topic = test_topic) {
    v1::PublishRequest request;
    request.set_topic(topic);
    request.add_messages()->set_data(data);
    request.mutable_messages(0)->set_ordering_key(key);
    if (!attribute.empty()) (*request.mutable_messages(0)->mutable_attributes())["attribute"] = attribute;
    Status status{Code::internal, "publish did not answer"};
    broker.publish(request.SerializeAsString(),
                   [&](const Status& result, const BatchPtr&) { status = result; });
    ASSERT_TRUE(status.ok()) << status.message;
  }

  SubscriptionPtr queue(const std::string& name = test_subscription) {
    SubscriptionPtr found;
    const auto status = broker.open_for_pull(name, found);
    EXPECT_TRUE(status.ok()) << status.message;
    return found;
  }

  /// Pulls all there is, as a consumer of its own.
  std::vector<Delivery> pull(const std::string& name = test_subscription, std::size_t limit = 1000) {
    const auto source = queue(name);
    const auto consumer = source->add_consumer([] {}, 0, 0);
    auto deliveries = source->take(consumer, limit, 1U << 24U, source->settings().ack_deadline);
    source->remove_consumer(consumer);
    return deliveries;
  }

  static v1::PubsubMessage message_of(const Delivery& delivery) {
    v1::PubsubMessage message;
    EXPECT_TRUE(message.ParseFromString(std::string(delivery.message.wire())));
    return message;
  }
  static std::vector<std::string> data_of(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> data;
    for (const auto& delivery : deliveries) data.push_back(message_of(delivery).data());
    return data;
  }

  void ack(const Delivery& delivery, const std::string& name = test_subscription) {
    EXPECT_TRUE(queue(name)->acknowledge(std::array{delivery.token})[0]);
  }
  void nack(const Delivery& delivery, const std::string& name = test_subscription) {
    EXPECT_TRUE(queue(name)->modify_deadline(std::array{delivery.token}, std::array{Duration::zero()})[0]);
  }

  void advance(Duration by) {
    clock.advance(by);
    scheduler.run_due();
  }

  ManualClock clock;
  Scheduler scheduler{clock};
  Broker broker{scheduler};
};

}  // namespace cfd::emulator
