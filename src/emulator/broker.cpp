#include "emulator/broker.hpp"

#include <utility>

#include <fmt/format.h>

#include "emulator/names.hpp"
#include "emulator/resources.hpp"

namespace cfd::emulator {

namespace {

constexpr std::string_view expired_ack_id = "PERMANENT_FAILURE_INVALID_ACK_ID";

/// Message ids start at the time in microseconds, so that those of two runs differ.
std::uint64_t first_message_id(Time now) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count());
}

template <typename AckIds>
Status parse_ack_ids(const AckIds& ack_ids, std::vector<AckToken>& tokens) {
  if (ack_ids.empty()) return invalid_argument("No ack ids specified.");
  tokens.reserve(static_cast<std::size_t>(ack_ids.size()));
  for (const auto& ack_id : ack_ids) {
    const auto token = parse_ack_id(ack_id);
    if (!token) return invalid_argument(fmt::format("Invalid ack id given (ack_id={}).", ack_id));
    tokens.push_back(*token);
  }
  return {};
}

/// Under exactly-once an ack id that has expired is an error; else the service never tells.
template <typename AckIds>
Status report_expired(const Subscription& queue, const AckIds& ack_ids, const std::vector<bool>& held) {
  Status status;
  if (!queue.settings().exactly_once) return status;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (!held[i]) status.ack_errors.emplace(ack_ids[static_cast<int>(i)], expired_ack_id);
  }
  if (status.ack_errors.empty()) return status;
  status.code = Code::failed_precondition;
  status.message =
      "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids "
      "have expired or the acknowledgement ids were malformed.";
  return status;
}

}  // namespace

Broker::Broker(Scheduler& scheduler)
    : scheduler_(scheduler), next_message_id_(first_message_id(scheduler.clock().now())) {}

Broker::~Broker() = default;

Status Broker::prepare_publish(std::string_view request, std::string& topic_name,
                               std::shared_ptr<Topic>& topic, BatchPtr& batch) {
  PublishParts parts;
  if (auto status = split_publish_request(request, parts); !status.ok()) return status;
  if (auto status = check_messages(parts); !status.ok()) return status;
  {
    const std::shared_lock lock(mutex_);
    const auto found = topics_.find(parts.topic);
    if (found == topics_.end()) {
      auto status = check_name(parts.topic, Collection::topics);
      return status.ok() ? not_found(std::string(parts.topic)) : status;
    }
    topic_name = found->first;
    topic = found->second->topic;
    if (check_ != nullptr && found->second->config.has_schema_settings()) {
      for (const auto message : parts.messages) {
        if (auto status = check_->check(found->second->config, message); !status.ok()) return status;
      }
    }
  }
  batch = build_batch(parts, next_message_id_.fetch_add(parts.messages.size()), scheduler_.clock().now());
  return {};
}

void Broker::publish(std::string_view request, PublishDone done, bool duplicate) {
  std::string topic_name;
  std::shared_ptr<Topic> topic;
  BatchPtr batch;
  if (const auto status = prepare_publish(request, topic_name, topic, batch); !status.ok())
    return done(status, nullptr);
  auto deliver = [this, topic_name, topic, batch, duplicate, done = std::move(done)](const Status& status) {
    if (status.ok()) log_.published(topic_name, batch);
    if (status.ok()) topic->publish(batch);
    if (status.ok() && duplicate) topic->publish(batch);
    done(status, batch);
  };
  if (store_ != nullptr)
    store_->publish(topic_name, batch, std::move(deliver));
  else
    deliver({});
}

void Broker::when_durable(std::function<void(const Status&)> done) {
  if (store_ != nullptr)
    store_->when_durable(std::move(done));
  else
    done({});
}

Status Broker::acknowledge(const v1::AcknowledgeRequest& request, google::protobuf::Empty& /*response*/) {
  SubscriptionPtr queue;
  std::vector<AckToken> tokens;
  if (auto status = find_queue(request.subscription(), queue); !status.ok()) return status;
  if (auto status = parse_ack_ids(request.ack_ids(), tokens); !status.ok()) return status;
  return report_expired(*queue, request.ack_ids(), queue->acknowledge(tokens));
}

Status Broker::modify_ack_deadline(const v1::ModifyAckDeadlineRequest& request,
                                   google::protobuf::Empty& /*response*/) {
  constexpr int largest = 600;
  SubscriptionPtr queue;
  std::vector<AckToken> tokens;
  if (auto status = find_queue(request.subscription(), queue); !status.ok()) return status;
  if (request.ack_deadline_seconds() < 0 || request.ack_deadline_seconds() > largest) {
    return invalid_argument(
        fmt::format("Invalid ack deadline given (ack_deadline_seconds={}): it must be 0 to {}.",
                    request.ack_deadline_seconds(), largest));
  }
  if (auto status = parse_ack_ids(request.ack_ids(), tokens); !status.ok()) return status;
  const std::vector<Duration> deadlines(tokens.size(), std::chrono::seconds{request.ack_deadline_seconds()});
  return report_expired(*queue, request.ack_ids(), queue->modify_deadline(tokens, deadlines));
}

Status Broker::find_queue(std::string_view name, SubscriptionPtr& queue) const {
  const std::shared_lock lock(mutex_);
  const auto found = subscriptions_.find(name);
  if (found == subscriptions_.end()) {
    auto status = check_name(name, Collection::subscriptions);
    return status.ok() ? not_found(std::string(name)) : status;
  }
  queue = found->second->queue;
  return {};
}

Status Broker::open_for_pull(std::string_view name, SubscriptionPtr& queue) {
  if (auto status = find_queue(name, queue); !status.ok()) return status;
  const std::shared_lock lock(mutex_);
  const auto found = subscriptions_.find(name);
  if (found == subscriptions_.end()) return not_found(std::string(name));
  const auto& config = found->second->config;
  if (config.detached())
    return failed_precondition(fmt::format("Subscription is detached (resource={}).", name));
  if (!config.push_config().push_endpoint().empty()) {
    return failed_precondition(
        fmt::format("This method is not supported for this subscription type: {} is pushed to {}.", name,
                    config.push_config().push_endpoint()));
  }
  return {};
}

bool Broker::exists(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  return topics_.contains(name) || subscriptions_.contains(name) || snapshots_.contains(name);
}

/// What a queue calls back. It outlives neither the broker nor the scheduler, so plain references do.
QueueHooks Broker::hooks_for(const std::string& subscription, std::uint32_t uid) {
  QueueHooks hooks;
  hooks.dead_letter = [this, subscription](const MessageRef& message, std::uint32_t attempts) {
    return dead_letter(subscription, message, attempts);
  };
  if (store_ != nullptr) {
    hooks.acknowledged = [this, uid](const std::vector<Range>& ranges) { store_->acknowledge(uid, ranges); };
    hooks.revived = [this, uid](const std::vector<Range>& ranges) { store_->revive(uid, ranges); };
    hooks.forgotten = [this, uid](Time time) { store_->drop_before(acknowledged_of(uid), time); };
    hooks.failed = [this, uid](const std::vector<Entry>& entries) {
      std::vector<std::pair<std::uint64_t, std::uint32_t>> attempts;
      for (const auto& entry : entries) attempts.emplace_back(entry.message.id(), entry.attempts);
      store_->put_attempts(uid, std::move(attempts));
    };
    hooks.load = [this](std::uint64_t first_id) { return store_->load(first_id); };
  }
  hooks.log = &log_;
  hooks.schedule = [this, subscription, uid](Time time) {
    scheduler_.at(time, [this, subscription, uid] {
      SubscriptionPtr queue;
      // The name may have gone to another subscription since.
      if (find_queue(subscription, queue).ok() && queue->uid() == uid) queue->on_timer();
    });
  };
  return hooks;
}

/// Publishes a message that failed too often to the dead-letter topic, and says where it came from.
bool Broker::dead_letter(const std::string& subscription, const MessageRef& message, std::uint32_t attempts) {
  std::string topic_name;
  std::shared_ptr<Topic> topic;
  DeadLetter letter;
  letter.message = message.id();
  letter.subscription = subscription;
  letter.attempts = attempts;
  {
    const std::shared_lock lock(mutex_);
    const auto source = subscriptions_.find(subscription);
    if (source == subscriptions_.end()) return false;
    const auto target = topics_.find(source->second->config.dead_letter_policy().dead_letter_topic());
    if (target == topics_.end()) return false;
    topic_name = target->first;
    topic = target->second->topic;
    letter.topic = topic_name;
    letter.source_topic = source->second->config.topic();
    letter.subscription_uid = source->second->queue->uid();
  }
  v1::PubsubMessage copy;
  const auto wire = message.wire();
  if (!copy.ParseFromArray(wire.data(), static_cast<int>(wire.size()))) return false;
  ResourceName name;
  if (!parse_name(subscription, Collection::subscriptions, name).ok()) return false;
  const auto published = std::chrono::floor<std::chrono::milliseconds>(message.batch->publish_time());
  auto& attributes = *copy.mutable_attributes();
  attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = std::to_string(attempts);
  attributes["CloudPubSubDeadLetterSourceSubscription"] = name.id;
  attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = name.project;
  attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = format_time(published) + "+00:00";
  const auto serialized = copy.SerializeAsString();
  letter.time = scheduler_.clock().now();
  const auto batch = build_batch({{}, {serialized}}, next_message_id_.fetch_add(1), letter.time);
  letter.copy = batch->id(0);
  letter.content = {batch, 0};
  log_.published(topic_name, batch);
  log_.dead_lettered(std::move(letter));
  publish_dead_letter(topic_name, topic, batch);
  return true;
}

/// The message is given up where it came from right after this. The store writes both together or in this
/// order, so that a crash leaves it in one place at least.
void Broker::publish_dead_letter(const std::string& topic_name, const std::shared_ptr<Topic>& topic,
                                 const BatchPtr& batch) {
  if (store_ == nullptr) return topic->publish(batch);
  constexpr bool insist = true;
  store_->publish(
      topic_name, batch,
      [topic, batch](const Status& status) {
        if (status.ok()) topic->publish(batch);
      },
      insist);
}

void Broker::removed(const std::string& name) const {
  if (on_removed_) on_removed_(name);
}

std::string Broker::new_id(std::string_view prefix) {
  return fmt::format("{}-{:x}", prefix, next_message_id_.fetch_add(1));
}

std::vector<Broker::TopicView> Broker::view_topics() const {
  const std::shared_lock lock(mutex_);
  std::vector<TopicView> views;
  for (const auto& [name, resource] : topics_) views.push_back({name, resource->topic->published()});
  return views;
}

std::vector<Broker::SubscriptionView> Broker::view_subscriptions() const {
  const std::shared_lock lock(mutex_);
  std::vector<SubscriptionView> views;
  for (const auto& [name, resource] : subscriptions_) {
    const auto& config = resource->config;
    views.push_back({resource->queue->uid(), name, config.topic(), config.push_config().push_endpoint(),
                     config.filter(), config.dead_letter_policy().dead_letter_topic(),
                     resource->queue->stats()});
  }
  return views;
}

}  // namespace cfd::emulator
