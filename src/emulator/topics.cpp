// The broker's operations on topics.
#include <utility>

#include <fmt/format.h>

#include "emulator/broker.hpp"
#include "emulator/names.hpp"
#include "emulator/resources.hpp"

namespace cfd::emulator {

Status Broker::create_topic(const v1::Topic& request, v1::Topic& response) {
  if (auto status = check_name(request.name(), Collection::topics); !status.ok()) return status;
  v1::Topic config = request;
  if (auto status = complete_topic(config); !status.ok()) return status;
  if (check_ != nullptr && config.has_schema_settings()) {
    if (auto status = check_->check_settings(config); !status.ok()) return status;
  }
  const std::lock_guard lock(mutex_);
  if (topics_.contains(config.name())) return already_exists(config.name());
  response = config;
  const auto resource = make_topic(config, next_uid_++);
  keep(*resource);
  topics_.emplace(config.name(), resource);
  return {};
}

Status Broker::update_topic(const v1::UpdateTopicRequest& request, v1::Topic& response) {
  const auto& name = request.topic().name();
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return not_found(name);
  v1::Topic config = found->second->config;
  auto status = apply_mask(
      request.update_mask(),
      {"labels", "message_storage_policy", "schema_settings", "message_retention_duration", "tags"},
      request.topic(), config);
  if (!status.ok()) return status;
  if (status = complete_topic(config); !status.ok()) return status;
  if (check_ != nullptr && config.has_schema_settings()) {
    if (status = check_->check_settings(config); !status.ok()) return status;
  }
  found->second->config = response = config;
  found->second->topic->set_retention(to_duration(config.message_retention_duration()));
  refresh_topic_retention(name);
  keep(*found->second);
  return {};
}

/// Subscriptions show how long their topic keeps messages.
void Broker::refresh_topic_retention(const std::string& topic) {
  const auto& config = topics_.find(topic)->second->config;
  for (const auto& [name, subscription] : subscriptions_) {
    if (subscription->config.topic() != topic) continue;
    if (config.has_message_retention_duration()) {
      *subscription->config.mutable_topic_message_retention_duration() = config.message_retention_duration();
    } else {
      subscription->config.clear_topic_message_retention_duration();
    }
    keep(*subscription);
  }
}

Status Broker::get_topic(const v1::GetTopicRequest& request, v1::Topic& response) {
  if (auto status = check_name(request.topic(), Collection::topics); !status.ok()) return status;
  const std::shared_lock lock(mutex_);
  const auto found = topics_.find(request.topic());
  if (found == topics_.end()) return not_found(request.topic());
  response = found->second->config;
  return {};
}

Status Broker::list_topics(const v1::ListTopicsRequest& request, v1::ListTopicsResponse& response) {
  if (auto status = check_project(request.project()); !status.ok()) return status;
  const auto prefix = request.project() + "/";
  const std::shared_lock lock(mutex_);
  return list_page(
      topics_, request.page_size(), request.page_token(),
      [&](const std::string& name, const TopicResource&) { return name.starts_with(prefix); },
      [&](const std::string&, const TopicResource& topic) { *response.add_topics() = topic.config; },
      response);
}

Status Broker::list_topic_subscriptions(const v1::ListTopicSubscriptionsRequest& request,
                                        v1::ListTopicSubscriptionsResponse& response) {
  if (auto status = check_name(request.topic(), Collection::topics); !status.ok()) return status;
  const std::shared_lock lock(mutex_);
  if (!topics_.contains(request.topic())) return not_found(request.topic());
  return list_page(
      subscriptions_, request.page_size(), request.page_token(),
      [&](const std::string&, const SubscriptionResource& subscription) {
        return subscription.config.topic() == request.topic() && !subscription.config.detached();
      },
      [&](const std::string& name, const SubscriptionResource&) { response.add_subscriptions(name); },
      response);
}

Status Broker::list_topic_snapshots(const v1::ListTopicSnapshotsRequest& request,
                                    v1::ListTopicSnapshotsResponse& response) {
  if (auto status = check_name(request.topic(), Collection::topics); !status.ok()) return status;
  const std::shared_lock lock(mutex_);
  if (!topics_.contains(request.topic())) return not_found(request.topic());
  return list_page(
      snapshots_, request.page_size(), request.page_token(),
      [&](const std::string&, const SnapshotResource& snapshot) {
        return snapshot.config.topic() == request.topic();
      },
      [&](const std::string& name, const SnapshotResource&) { response.add_snapshots(name); }, response);
}

Status Broker::delete_topic(const v1::DeleteTopicRequest& request, google::protobuf::Empty& /*response*/) {
  if (auto status = check_name(request.topic(), Collection::topics); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(request.topic());
  if (found == topics_.end()) return not_found(request.topic());
  for (const auto& [name, subscription] : subscriptions_) {
    if (subscription->config.dead_letter_policy().dead_letter_topic() != request.topic()) continue;
    return failed_precondition(
        fmt::format("Topic {} is the dead-letter topic of subscription {}.", request.topic(), name));
  }
  // The subscriptions stay, with what they have, and take no more.
  for (const auto& [name, subscription] : subscriptions_) {
    if (subscription->config.topic() != request.topic()) continue;
    subscription->config.set_topic(std::string(deleted_topic));
    subscription->config.clear_topic_message_retention_duration();
    found->second->topic->detach(subscription->queue);
    subscription->topic.reset();
    keep(*subscription);
  }
  for (const auto& [name, snapshot] : snapshots_) {
    if (snapshot->config.topic() != request.topic()) continue;
    snapshot->config.set_topic(std::string(deleted_topic));
    keep(*snapshot);
  }
  if (store_ != nullptr) {
    store_->erase(ResourceKind::topic, request.topic());
    store_->release(found->second->uid);
  }
  topics_.erase(found);
  removed(request.topic());
  return {};
}

}  // namespace cfd::emulator
