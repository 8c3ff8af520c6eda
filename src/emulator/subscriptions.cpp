// The broker's operations on subscriptions.
#include <utility>

#include <fmt/format.h>

#include "emulator/broker.hpp"
#include "emulator/names.hpp"
#include "emulator/resources.hpp"

namespace cfd::emulator {

namespace {

/// Longer than this is never, as far as a timer goes.
constexpr std::chrono::hours longest_ttl{24 * 365 * 10};

Time to_time(const google::protobuf::Timestamp& timestamp) {
  google::protobuf::Duration since_epoch;
  since_epoch.set_seconds(timestamp.seconds());
  since_epoch.set_nanos(timestamp.nanos());
  return Time{to_duration(since_epoch)};
}

}  // namespace

Status Broker::check_dead_letter_topic(const v1::Subscription& subscription) const {
  const auto& topic = subscription.dead_letter_policy().dead_letter_topic();
  return topic.empty() || topics_.contains(topic) ? Status{} : not_found(topic);
}

Status Broker::create_subscription(const v1::Subscription& request, v1::Subscription& response) {
  v1::Subscription config = request;
  ResourceName topic_name;
  if (auto status = parse_name(config.topic(), Collection::topics, topic_name); !status.ok()) return status;
  if (config.name().empty())
    config.set_name(full_name(topic_name.project, Collection::subscriptions, new_id("sub")));
  if (auto status = check_name(config.name(), Collection::subscriptions); !status.ok()) return status;
  if (auto status = complete_subscription(config); !status.ok()) return status;
  config.set_detached(false);

  const std::lock_guard lock(mutex_);
  if (subscriptions_.contains(config.name())) return already_exists(config.name());
  const auto topic = topics_.find(config.topic());
  if (topic == topics_.end()) return not_found(config.topic());
  if (auto status = check_dead_letter_topic(config); !status.ok()) return status;
  if (topic->second->config.has_message_retention_duration()) {
    *config.mutable_topic_message_retention_duration() = topic->second->config.message_retention_duration();
  }
  response = config;
  auto resource = make_subscription(config, next_uid_++);
  keep(*resource);
  arm_expiration(*resource);
  if (push_ != nullptr) push_->configure(config, resource->queue);
  subscriptions_.emplace(config.name(), std::move(resource));
  return {};
}

Status Broker::get_subscription(const v1::GetSubscriptionRequest& request, v1::Subscription& response) {
  if (auto status = check_name(request.subscription(), Collection::subscriptions); !status.ok())
    return status;
  const std::shared_lock lock(mutex_);
  const auto found = subscriptions_.find(request.subscription());
  if (found == subscriptions_.end()) return not_found(request.subscription());
  response = found->second->config;
  return {};
}

Status Broker::update_subscription(const v1::UpdateSubscriptionRequest& request, v1::Subscription& response) {
  const auto& name = request.subscription().name();
  const std::lock_guard lock(mutex_);
  const auto found = subscriptions_.find(name);
  if (found == subscriptions_.end()) return not_found(name);
  v1::Subscription config = found->second->config;
  auto status = apply_mask(
      request.update_mask(),
      {"push_config", "ack_deadline_seconds", "retain_acked_messages", "message_retention_duration", "labels",
       "expiration_policy", "dead_letter_policy", "retry_policy", "enable_exactly_once_delivery", "tags"},
      request.subscription(), config);
  if (!status.ok()) return status;
  if (status = complete_subscription(config); !status.ok()) return status;
  if (status = check_dead_letter_topic(config); !status.ok()) return status;
  const bool retained = found->second->config.retain_acked_messages();
  found->second->config = response = config;
  found->second->queue->change(queue_settings(config));
  if (store_ != nullptr && config.retain_acked_messages() && !retained) {
    const auto uid = found->second->queue->uid();
    store_->hold_copy(acknowledged_of(uid), uid,
                      found->second->topic != nullptr ? config.topic() : std::string{});
  }
  keep(*found->second);
  arm_expiration(*found->second);
  if (push_ != nullptr) push_->configure(config, found->second->queue);
  return {};
}

Status Broker::modify_push_config(const v1::ModifyPushConfigRequest& request,
                                  google::protobuf::Empty& /*response*/) {
  v1::UpdateSubscriptionRequest update;
  update.mutable_subscription()->set_name(request.subscription());
  *update.mutable_subscription()->mutable_push_config() = request.push_config();
  update.mutable_update_mask()->add_paths("push_config");
  v1::Subscription updated;
  return update_subscription(update, updated);
}

Status Broker::list_subscriptions(const v1::ListSubscriptionsRequest& request,
                                  v1::ListSubscriptionsResponse& response) {
  if (auto status = check_project(request.project()); !status.ok()) return status;
  const auto prefix = request.project() + "/";
  const std::shared_lock lock(mutex_);
  return list_page(
      subscriptions_, request.page_size(), request.page_token(),
      [&](const std::string& name, const SubscriptionResource&) { return name.starts_with(prefix); },
      [&](const std::string&, const SubscriptionResource& subscription) {
        *response.add_subscriptions() = subscription.config;
      },
      response);
}

/// Looks again when the subscription may have been idle for too long, if its policy knows such a time.
void Broker::arm_expiration(const SubscriptionResource& resource) {
  const Duration ttl = to_duration(resource.config.expiration_policy().ttl());
  if (ttl <= Duration::zero() || ttl > longest_ttl) return;
  scheduler_.at(
      resource.queue->idle_since() + ttl,
      [this, name = resource.config.name(), uid = resource.queue->uid()] { expire_when_idle(name, uid); });
}

void Broker::expire_when_idle(const std::string& subscription, std::uint32_t uid) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = subscriptions_.find(subscription);
    if (found == subscriptions_.end() || found->second->queue->uid() != uid) return;
    const Duration ttl = to_duration(found->second->config.expiration_policy().ttl());
    if (ttl <= Duration::zero()) return;
    if (found->second->queue->idle_since() + ttl > scheduler_.clock().now())
      return arm_expiration(*found->second);
  }
  v1::DeleteSubscriptionRequest request;
  request.set_subscription(subscription);
  google::protobuf::Empty empty;
  static_cast<void>(delete_subscription(request, empty));  // It may be gone by now, which is just as well.
}

/// Ends a subscription's queue and whatever feeds on it.
void Broker::remove_subscription(const std::shared_ptr<SubscriptionResource>& resource, Status reason) {
  if (push_ != nullptr) push_->remove(resource->config.name());
  if (resource->topic != nullptr) resource->topic->detach(resource->queue);
  resource->topic.reset();
  if (resource->config.detached()) {
    if (store_ != nullptr) {
      store_->release(resource->queue->uid());
      store_->release(acknowledged_of(resource->queue->uid()));
    }
    keep(*resource);
  }
  resource->queue->close(std::move(reason));
}

Status Broker::delete_subscription(const v1::DeleteSubscriptionRequest& request,
                                   google::protobuf::Empty& /*response*/) {
  const auto& name = request.subscription();
  if (auto status = check_name(name, Collection::subscriptions); !status.ok()) return status;
  std::shared_ptr<SubscriptionResource> resource;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(name);
    if (found == subscriptions_.end()) return not_found(name);
    resource = found->second;
    subscriptions_.erase(found);
    if (store_ != nullptr) {
      store_->erase(ResourceKind::subscription, name);
      store_->release(resource->queue->uid());
      store_->release(acknowledged_of(resource->queue->uid()));
    }
    removed(name);
  }
  remove_subscription(resource, not_found(name));
  return {};
}

Status Broker::detach_subscription(const v1::DetachSubscriptionRequest& request,
                                   v1::DetachSubscriptionResponse& /*response*/) {
  const auto& name = request.subscription();
  if (auto status = check_name(name, Collection::subscriptions); !status.ok()) return status;
  std::shared_ptr<SubscriptionResource> resource;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(name);
    if (found == subscriptions_.end()) return not_found(name);
    resource = found->second;
    resource->config.set_detached(true);
  }
  remove_subscription(resource,
                      failed_precondition(fmt::format("Subscription is detached (resource={}).", name)));
  return {};
}

Status Broker::seek(const v1::SeekRequest& request, v1::SeekResponse& /*response*/) {
  std::shared_ptr<Topic> topic;
  SubscriptionPtr queue;
  std::shared_ptr<SnapshotResource> snapshot;
  {
    const std::shared_lock lock(mutex_);
    const auto found = subscriptions_.find(request.subscription());
    if (found == subscriptions_.end()) return not_found(request.subscription());
    if (found->second->config.detached()) {
      return failed_precondition(
          fmt::format("Subscription is detached (resource={}).", request.subscription()));
    }
    topic = found->second->topic;
    queue = found->second->queue;
    if (request.has_snapshot()) {
      const auto source = snapshots_.find(request.snapshot());
      if (source == snapshots_.end()) return not_found(request.snapshot());
      if (source->second->config.topic() != found->second->config.topic()) {
        return failed_precondition(
            fmt::format("Snapshot {} is of topic {}.", request.snapshot(), source->second->config.topic()));
      }
      snapshot = source->second;
    }
  }
  if (snapshot != nullptr) {
    queue->reset(snapshot->topic->contents(*snapshot->state));
  } else if (request.has_time()) {
    queue->seek(to_time(request.time()), topic != nullptr ? topic->retained() : std::vector<Range>{});
  } else {
    return invalid_argument("a seek needs a time or a snapshot");
  }
  return {};
}

}  // namespace cfd::emulator
