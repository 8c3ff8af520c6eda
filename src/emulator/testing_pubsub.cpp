#include <array>
#include <future>
#include <utility>

#include <google/protobuf/empty.pb.h>

#include <cfd/error.hpp>
#include <cfd/testing/pubsub.hpp>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/broker.hpp"
#include "emulator/names.hpp"
#include "emulator/server.hpp"

namespace cfd::testing {

namespace {

using emulator::Collection;
namespace v1 = emulator::v1;

void require(const emulator::Status& status) {
  if (!status.ok()) throw Error(status.message);
}

google::protobuf::Duration to_proto(std::chrono::milliseconds duration) {
  google::protobuf::Duration made;
  made.set_seconds(duration.count() / 1000);
  made.set_nanos(static_cast<std::int32_t>(duration.count() % 1000) * 1'000'000);
  return made;
}

PulledMessage to_pulled(const emulator::Delivery& delivery) {
  v1::PubsubMessage message;
  const auto wire = delivery.message.wire();
  if (!message.ParseFromArray(wire.data(), static_cast<int>(wire.size())))
    throw Error("the server holds a message that is not well-formed");
  return {message.message_id(),
          message.data(),
          {message.attributes().begin(), message.attributes().end()},
          message.ordering_key(),
          emulator::to_ack_id(delivery.token),
          static_cast<int>(delivery.attempt)};
}

}  // namespace

struct PubSub::Impl {
  Impl(Time time, std::string project_name)
      : project(std::move(project_name)), server({.clock = time == Time::manual ? &clock : nullptr}) {
    server.start();
  }

  std::string name(Collection collection, const std::string& given) const {
    return given.starts_with("projects/") ? given : full_name(project, collection, given);
  }
  emulator::SubscriptionPtr queue(const std::string& subscription) {
    emulator::SubscriptionPtr found;
    require(server.broker().open_for_pull(name(Collection::subscriptions, subscription), found));
    return found;
  }

  std::string project;
  emulator::ManualClock clock{
      std::chrono::time_point_cast<emulator::Duration>(std::chrono::system_clock::now())};
  emulator::Server server;
};

PubSub::PubSub(Time time, std::string project) : impl_(std::make_unique<Impl>(time, std::move(project))) {}
PubSub::~PubSub() = default;

std::string PubSub::host() const {
  return impl_->server.host();
}

void PubSub::create_topic(const std::string& topic) {
  v1::Topic wanted;
  wanted.set_name(impl_->name(Collection::topics, topic));
  require(impl_->server.broker().create_topic(wanted, wanted));
}

void PubSub::create_subscription(const std::string& subscription, const std::string& topic,
                                 const SubscriptionOptions& options) {
  v1::Subscription wanted;
  wanted.set_name(impl_->name(Collection::subscriptions, subscription));
  wanted.set_topic(impl_->name(Collection::topics, topic));
  wanted.set_ack_deadline_seconds(static_cast<std::int32_t>(options.ack_deadline.count()));
  wanted.set_filter(options.filter);
  wanted.set_enable_exactly_once_delivery(options.exactly_once);
  wanted.set_enable_message_ordering(options.ordered);
  if (!options.push_endpoint.empty()) wanted.mutable_push_config()->set_push_endpoint(options.push_endpoint);
  if (!options.dead_letter_topic.empty()) {
    wanted.mutable_dead_letter_policy()->set_dead_letter_topic(
        impl_->name(Collection::topics, options.dead_letter_topic));
    wanted.mutable_dead_letter_policy()->set_max_delivery_attempts(options.max_delivery_attempts);
  }
  if (options.maximum_backoff.count() > 0) {
    *wanted.mutable_retry_policy()->mutable_minimum_backoff() = to_proto(options.minimum_backoff);
    *wanted.mutable_retry_policy()->mutable_maximum_backoff() = to_proto(options.maximum_backoff);
  }
  v1::Subscription made;
  require(impl_->server.broker().create_subscription(wanted, made));
}

std::string PubSub::publish(const std::string& topic, const std::string& data,
                            const std::map<std::string, std::string>& attributes,
                            const std::string& ordering_key) {
  v1::PublishRequest request;
  request.set_topic(impl_->name(Collection::topics, topic));
  auto& message = *request.add_messages();
  message.set_data(data);
  message.set_ordering_key(ordering_key);
  for (const auto& [key, value] : attributes) (*message.mutable_attributes())[key] = value;
  std::string id;
  // In memory, publishing ends before the call does.
  impl_->server.broker().publish(request.SerializeAsString(),
                                 [&](const emulator::Status& status, const emulator::BatchPtr& batch) {
                                   require(status);
                                   id = std::to_string(batch->id(0));
                                 });
  return id;
}

std::vector<PulledMessage> PubSub::pull(const std::string& subscription, std::size_t limit) {
  const auto queue = impl_->queue(subscription);
  const auto consumer = queue->add_consumer([] {}, 0, 0);
  const auto deliveries = queue->take(consumer, limit, SIZE_MAX, queue->settings().ack_deadline);
  queue->remove_consumer(consumer);
  std::vector<PulledMessage> messages;
  for (const auto& delivery : deliveries) messages.push_back(to_pulled(delivery));
  return messages;
}

void PubSub::acknowledge(const std::string& subscription, const PulledMessage& message) {
  v1::AcknowledgeRequest request;
  request.set_subscription(impl_->name(Collection::subscriptions, subscription));
  request.add_ack_ids(message.ack_id);
  google::protobuf::Empty empty;
  require(impl_->server.broker().acknowledge(request, empty));
}

void PubSub::nack(const std::string& subscription, const PulledMessage& message) {
  v1::ModifyAckDeadlineRequest request;
  request.set_subscription(impl_->name(Collection::subscriptions, subscription));
  request.add_ack_ids(message.ack_id);
  google::protobuf::Empty empty;
  require(impl_->server.broker().modify_ack_deadline(request, empty));
}

std::size_t PubSub::backlog(const std::string& subscription) const {
  const auto name = impl_->name(Collection::subscriptions, subscription);
  for (const auto& view : impl_->server.broker().view_subscriptions()) {
    if (view.name == name) return view.stats.backlog;
  }
  throw Error("there is no subscription " + name);
}

void PubSub::fail_next(const std::string& method, int code, std::uint32_t count) {
  impl_->server.broker().faults().add(
      {.method = method,
       .count = count,
       .status = {static_cast<emulator::Code>(code), "a fault that the test asked for"}});
}

void PubSub::delay_next(const std::string& method, std::chrono::milliseconds delay, std::uint32_t count) {
  impl_->server.broker().faults().add({.method = method, .count = count, .delay = delay});
}

void PubSub::duplicate_next(std::uint32_t count) {
  impl_->server.broker().faults().add({.method = "Publish", .count = count, .duplicate = true});
}

void PubSub::reorder_next(const std::string& method, std::uint32_t count) {
  impl_->server.broker().faults().add({.method = method, .count = count, .reorder = true});
}

void PubSub::clear_faults() {
  impl_->server.broker().faults().clear();
}

void PubSub::advance(std::chrono::milliseconds by) {
  if (!impl_->server.is_manual()) throw Error("advance() is for a PubSub made with Time::manual");
  impl_->clock.advance(by);
  impl_->server.broker().scheduler().run_due();
}

}  // namespace cfd::testing
