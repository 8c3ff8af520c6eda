#pragma once

/// \file
/// A broker with a store in a directory of the test's own, to be ended and opened again.

#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include <stdlib.h>

#include "emulator/broker_fixture.hpp"
#include "emulator/iam.hpp"
#include "emulator/schemas.hpp"

namespace cfd::emulator {

/// A broker with its store, as a server has them.
struct Durable {
  explicit Durable(const std::string& directory, Time now = ManualClock().now())
      : clock(now), store(directory) {
    schemas.set_store(&store);
    policies.set_store(&store);
    broker.set_store(&store);
    store.start();
  }
  Durable(const Durable&) = delete;
  Durable& operator=(const Durable&) = delete;
  ~Durable() { store.stop(); }

  Status settled() {
    std::promise<Status> promise;
    broker.when_durable([&](const Status& status) { promise.set_value(status); });
    return promise.get_future().get();
  }

  Status publish(const std::vector<std::string>& data) {
    v1::PublishRequest request;
    request.set_topic(test_topic);
    for (const auto& one : data) request.add_messages()->set_data(one);
    std::promise<Status> promise;
    broker.publish(request.SerializeAsString(),
                   [&](const Status& status, const BatchPtr&) { promise.set_value(status); });
    return promise.get_future().get();
  }

  SubscriptionPtr queue() {
    SubscriptionPtr found;
    const auto status = broker.open_for_pull(test_subscription, found);
    EXPECT_TRUE(status.ok()) << status.message;
    return found;
  }
  std::vector<Delivery> pull(std::size_t limit = 100'000) {
    const auto consumer = queue()->add_consumer([] {}, 0, 0);
    return queue()->take(consumer, limit, 1U << 30U, std::chrono::seconds{10});
  }

  void advance(Duration by) {
    clock.advance(by);
    scheduler.run_due();
  }
  void acknowledge(const std::vector<Delivery>& deliveries) {
    for (const auto& delivery : deliveries) queue()->acknowledge(std::array{delivery.token});
  }
  void nack(const Delivery& delivery) {
    queue()->modify_deadline(std::array{delivery.token}, std::array{Duration::zero()});
  }

  ManualClock clock;
  Scheduler scheduler{clock};
  Store store;
  Broker broker{scheduler};
  Schemas schemas{clock};
  IamPolicies policies{[this](const std::string& name) { return broker.exists(name); }};
};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cfd-store-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static void create(Broker& broker) {
    v1::Topic topic;
    topic.set_name(test_topic);
    ASSERT_TRUE(broker.create_topic(topic, topic).ok());
    v1::Subscription subscription;
    subscription.set_name(test_subscription);
    subscription.set_topic(test_topic);
    subscription.set_filter("NOT attributes:hidden");
    ASSERT_TRUE(broker.create_subscription(subscription, subscription).ok());
  }

  static std::vector<std::string> data_of(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> data;
    for (const auto& delivery : deliveries) {
      v1::PubsubMessage message;
      EXPECT_TRUE(message.ParseFromString(std::string(delivery.message.wire())));
      data.push_back(message.data());
    }
    return data;
  }

  std::string directory_;
};

}  // namespace cfd::emulator
