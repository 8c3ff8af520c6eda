// What a broker keeps in its store, and takes over from it.
#include <algorithm>

#include "emulator/broker.hpp"
#include "emulator/resources.hpp"

namespace cfd::emulator {

namespace {

/// Each run of messages that a holder has not acknowledged.
std::vector<Range> open_ranges(Database& database, std::uint32_t holder) {
  std::vector<Range> ranges;
  database.for_each_pending(holder, [&](const PendingBatch& pending) {
    for (std::uint32_t next = 0; next < pending.size;) {
      std::uint32_t end = next;
      while (end < pending.size && !pending.acknowledged[end]) ++end;
      if (end > next) ranges.push_back({nullptr, pending.first_id, pending.publish_time, next, end});
      next = end + 1;
    }
  });
  return ranges;
}

}  // namespace

void Broker::set_store(Store* store) {
  store_ = store;
  auto& database = store->database();
  next_message_id_ = std::max(next_message_id_.load(), database.largest_message_id());
  for (const auto kind : {ResourceKind::topic, ResourceKind::subscription, ResourceKind::snapshot}) {
    for (const auto& stored : database.resources(kind))
      next_uid_ = std::max(next_uid_.load(), stored.uid + 1);
  }
  for (const auto& stored : database.resources(ResourceKind::topic)) recover_topic(stored);
  for (const auto& stored : database.resources(ResourceKind::subscription)) recover_subscription(stored);
  for (const auto& stored : database.resources(ResourceKind::snapshot)) recover_snapshot(stored);
}

void Broker::recover_topic(const StoredResource& stored) {
  v1::Topic config;
  if (!config.ParseFromString(stored.config)) store_->database().fail_unreadable(stored.name);
  const auto resource = make_topic(std::move(config), stored.uid != 0 ? stored.uid : next_uid_++);
  resource->topic->restore_retained(open_ranges(store_->database(), resource->uid));
  keep(*resource);
  topics_.emplace(stored.name, resource);
}

void Broker::recover_subscription(const StoredResource& stored) {
  v1::Subscription config;
  if (!config.ParseFromString(stored.config)) store_->database().fail_unreadable(stored.name);
  const auto resource = make_subscription(std::move(config), stored.uid);
  auto& database = store_->database();
  Subscription::Remains remains;
  remains.open = open_ranges(database, stored.uid);
  remains.acknowledged = subtract(open_ranges(database, acknowledged_of(stored.uid)), remains.open);
  remains.attempts = database.attempts(stored.uid);
  resource->queue->restore(std::move(remains));
  keep(*resource);
  arm_expiration(*resource);
  if (push_ != nullptr) push_->configure(resource->config, resource->queue);
  subscriptions_.emplace(stored.name, resource);
}

void Broker::recover_snapshot(const StoredResource& stored) {
  auto resource = std::make_shared<SnapshotResource>();
  if (!resource->config.ParseFromString(stored.config)) store_->database().fail_unreadable(stored.name);
  resource->uid = stored.uid;
  const auto topic = topics_.find(resource->config.topic());
  // That of a deleted topic goes on for itself.
  resource->topic =
      topic != topics_.end() ? topic->second->topic : std::make_shared<Topic>(scheduler_.clock());
  resource->state = resource->topic->restore_snapshot(open_ranges(store_->database(), stored.uid));
  store_->hold(resource->uid, topic != topics_.end() ? topic->first : std::string{});
  arm_expiration(resource);
  snapshots_.emplace(stored.name, std::move(resource));
}

std::shared_ptr<Broker::TopicResource> Broker::make_topic(v1::Topic config, std::uint32_t uid) {
  auto resource = std::make_shared<TopicResource>();
  Topic::Forgotten forgotten;
  if (store_ != nullptr) forgotten = [this, uid](Time time) { store_->drop_before(uid, time); };
  resource->uid = uid;
  resource->topic = std::make_shared<Topic>(scheduler_.clock(), std::move(forgotten));
  resource->topic->set_retention(to_duration(config.message_retention_duration()));
  resource->config = std::move(config);
  return resource;
}

/// A subscription's record, with its queue attached to the topic, if there is one.
std::shared_ptr<Broker::SubscriptionResource> Broker::make_subscription(v1::Subscription config,
                                                                        std::uint32_t uid) {
  auto resource = std::make_shared<SubscriptionResource>();
  resource->queue = std::make_shared<Subscription>(uid, queue_settings(config), scheduler_.clock(),
                                                   hooks_for(config.name(), uid));
  if (const auto topic = topics_.find(config.topic()); topic != topics_.end() && !config.detached()) {
    resource->topic = topic->second->topic;
    resource->topic->attach(resource->queue);
  }
  resource->config = std::move(config);
  return resource;
}

void Broker::keep(const TopicResource& resource) {
  if (store_ == nullptr) return;
  store_->put(ResourceKind::topic,
              {resource.config.name(), resource.config.SerializeAsString(), resource.uid});
  if (resource.config.has_message_retention_duration())
    store_->hold(resource.uid, resource.config.name());
  else
    store_->release(resource.uid);
}

void Broker::keep(const SubscriptionResource& resource) {
  if (store_ == nullptr) return;
  const auto uid = resource.queue->uid();
  const auto topic = resource.topic != nullptr ? resource.config.topic() : std::string{};
  store_->put(ResourceKind::subscription, {resource.config.name(), resource.config.SerializeAsString(), uid});
  store_->hold(uid, topic);
  if (resource.config.retain_acked_messages())
    store_->hold(acknowledged_of(uid), topic);
  else
    store_->release(acknowledged_of(uid));
}

void Broker::keep(const SnapshotResource& resource) {
  if (store_ == nullptr) return;
  store_->put(ResourceKind::snapshot,
              {resource.config.name(), resource.config.SerializeAsString(), resource.uid});
}

}  // namespace cfd::emulator
