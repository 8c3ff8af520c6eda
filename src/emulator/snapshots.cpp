// The broker's operations on snapshots.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/broker.hpp"
#include "emulator/names.hpp"
#include "emulator/resources.hpp"

namespace cfd::emulator {

namespace {

constexpr std::chrono::hours longest_life{24 * 7};
constexpr std::chrono::hours shortest_life{1};

google::protobuf::Timestamp to_timestamp(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(static_cast<std::int32_t>((time - seconds).count()));
  return timestamp;
}

}  // namespace

Status Broker::create_snapshot(const v1::CreateSnapshotRequest& request, v1::Snapshot& response) {
  ResourceName subscription;
  if (auto status = parse_name(request.subscription(), Collection::subscriptions, subscription); !status.ok())
    return status;
  auto name = request.name();
  if (name.empty()) name = full_name(subscription.project, Collection::snapshots, new_id("snap"));
  if (auto status = check_name(name, Collection::snapshots); !status.ok()) return status;

  const std::lock_guard lock(mutex_);
  if (snapshots_.contains(name)) return already_exists(name);
  const auto found = subscriptions_.find(request.subscription());
  if (found == subscriptions_.end()) return not_found(request.subscription());
  if (found->second->topic == nullptr) {
    return failed_precondition(fmt::format("Subscription {} has no topic.", request.subscription()));
  }
  // A snapshot must not outlive what it refers to: the older the oldest message, the shorter its life.
  const Time now = scheduler_.clock().now();
  const Time oldest = found->second->queue->stats().oldest.value_or(now);
  const Time expires = oldest + longest_life;
  if (expires - now < shortest_life) {
    return failed_precondition(
        "The snapshot would expire in less than an hour: the subscription's backlog is too old.");
  }
  auto resource = std::make_shared<SnapshotResource>();
  resource->uid = next_uid_++;
  resource->topic = found->second->topic;
  resource->config.set_name(name);
  resource->config.set_topic(found->second->config.topic());
  *resource->config.mutable_expire_time() = to_timestamp(expires);
  *resource->config.mutable_labels() = request.labels();
  response = resource->config;
  resource->state = resource->topic->snapshot(*found->second->queue, [&] {
    if (store_ != nullptr)
      store_->hold_copy(resource->uid, found->second->queue->uid(), found->second->config.topic());
  });
  keep(*resource);
  arm_expiration(resource);
  snapshots_.emplace(name, std::move(resource));
  return {};
}

void Broker::arm_expiration(const std::shared_ptr<SnapshotResource>& resource) {
  const Time expires{std::chrono::seconds{resource->config.expire_time().seconds()} +
                     Duration{resource->config.expire_time().nanos()}};
  scheduler_.at(expires, [this, name = resource->config.name(), weak = std::weak_ptr(resource)] {
    const std::lock_guard lock(mutex_);
    const auto self = weak.lock();
    const auto entry = snapshots_.find(name);
    if (self == nullptr || entry == snapshots_.end() || entry->second != self) return;
    const Time now = scheduler_.clock().now();
    if (self->config.expire_time().seconds() >
        std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count())
      return arm_expiration(self);  // It was given a longer life since.
    snapshots_.erase(entry);
    forget_snapshot(*self);
  });
}

void Broker::forget_snapshot(const SnapshotResource& resource) {
  resource.topic->forget(resource.state);
  if (store_ != nullptr) {
    store_->erase(ResourceKind::snapshot, resource.config.name());
    store_->release(resource.uid);
  }
  removed(resource.config.name());
}

Status Broker::get_snapshot(const v1::GetSnapshotRequest& request, v1::Snapshot& response) {
  if (auto status = check_name(request.snapshot(), Collection::snapshots); !status.ok()) return status;
  const std::shared_lock lock(mutex_);
  const auto found = snapshots_.find(request.snapshot());
  if (found == snapshots_.end()) return not_found(request.snapshot());
  response = found->second->config;
  return {};
}

Status Broker::update_snapshot(const v1::UpdateSnapshotRequest& request, v1::Snapshot& response) {
  const auto& name = request.snapshot().name();
  const std::lock_guard lock(mutex_);
  const auto found = snapshots_.find(name);
  if (found == snapshots_.end()) return not_found(name);
  auto status =
      apply_mask(request.update_mask(), {"labels", "expire_time"}, request.snapshot(), found->second->config);
  if (!status.ok()) return status;
  response = found->second->config;
  keep(*found->second);
  arm_expiration(found->second);
  return {};
}

Status Broker::list_snapshots(const v1::ListSnapshotsRequest& request, v1::ListSnapshotsResponse& response) {
  if (auto status = check_project(request.project()); !status.ok()) return status;
  const auto prefix = request.project() + "/";
  const std::shared_lock lock(mutex_);
  return list_page(
      snapshots_, request.page_size(), request.page_token(),
      [&](const std::string& name, const SnapshotResource&) { return name.starts_with(prefix); },
      [&](const std::string&, const SnapshotResource& snapshot) {
        *response.add_snapshots() = snapshot.config;
      },
      response);
}

Status Broker::delete_snapshot(const v1::DeleteSnapshotRequest& request,
                               google::protobuf::Empty& /*response*/) {
  if (auto status = check_name(request.snapshot(), Collection::snapshots); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto found = snapshots_.find(request.snapshot());
  if (found == snapshots_.end()) return not_found(request.snapshot());
  const auto resource = found->second;
  snapshots_.erase(found);
  forget_snapshot(*resource);
  return {};
}

}  // namespace cfd::emulator
