// What a broker takes over from its store.
#include <algorithm>

#include "emulator/broker.hpp"
#include "emulator/resources.hpp"

namespace cfd::emulator {

void Broker::set_store(Store* store) {
  store_ = store;
  auto& database = store->database();
  next_message_id_ = std::max(next_message_id_.load(), database.largest_message_id());
  for (const auto& stored : database.resources(ResourceKind::topic)) {
    auto resource = std::make_shared<TopicResource>();
    if (!resource->config.ParseFromString(stored.config)) continue;
    resource->topic = std::make_shared<Topic>(scheduler_.clock());
    resource->topic->set_retention(to_duration(resource->config.message_retention_duration()));
    topics_.emplace(stored.name, std::move(resource));
  }
  for (const auto& stored : database.resources(ResourceKind::subscription)) recover_subscription(stored);
}

void Broker::recover_subscription(const StoredResource& stored) {
  v1::Subscription config;
  if (!config.ParseFromString(stored.config)) return;
  next_uid_ = std::max(next_uid_.load(), stored.uid + 1);
  const auto resource = make_subscription(std::move(config), stored.uid);
  store_->database().for_each_pending(stored.uid, [&](const PendingBatch& pending) {
    // Each run of messages that are still open is a range of the backlog.
    for (std::uint32_t next = 0; next < pending.size;) {
      std::uint32_t end = next;
      while (end < pending.size && !pending.acknowledged[end]) ++end;
      if (end > next) resource->queue->restore(pending.first_id, pending.publish_time, next, end);
      next = end + 1;
    }
  });
  keep(*resource);
  arm_expiration(*resource);
  if (push_ != nullptr) push_->configure(resource->config, resource->queue);
  subscriptions_.emplace(stored.name, resource);
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

void Broker::keep(const SubscriptionResource& resource) {
  if (store_ == nullptr) return;
  store_->put_subscription(resource.config.name(), resource.queue->uid(),
                           resource.topic != nullptr ? resource.config.topic() : std::string{},
                           resource.config.SerializeAsString());
}

}  // namespace cfd::emulator
