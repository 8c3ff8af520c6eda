#include "emulator/topic.hpp"

#include <algorithm>
#include <utility>

namespace cfd::emulator {

namespace {

void expand(const BatchPtr& batch, std::vector<MessageRef>& messages) {
  for (std::uint32_t i = 0; i < batch->size(); ++i) messages.push_back({batch, i});
}

}  // namespace

void Topic::publish(const BatchPtr& batch) {
  const std::lock_guard lock(mutex_);
  published_ += batch->size();
  for (const auto& snapshot : snapshots_) snapshot->later.push_back(batch);
  if (retention_ > Duration::zero()) {
    retained_.push_back(batch);
    drop_old();
  }
  for (const auto& subscription : subscriptions_) subscription->publish(batch);
}

void Topic::attach(std::shared_ptr<Subscription> subscription) {
  const std::lock_guard lock(mutex_);
  subscriptions_.push_back(std::move(subscription));
}

void Topic::detach(const std::shared_ptr<Subscription>& subscription) {
  const std::lock_guard lock(mutex_);
  std::erase(subscriptions_, subscription);
}

std::shared_ptr<SnapshotState> Topic::snapshot(const Subscription& subscription) {
  auto snapshot = std::make_shared<SnapshotState>();
  const std::lock_guard lock(mutex_);
  snapshot->unacknowledged = subscription.unacknowledged();
  snapshots_.push_back(snapshot);
  return snapshot;
}

void Topic::forget(const std::shared_ptr<SnapshotState>& snapshot) {
  const std::lock_guard lock(mutex_);
  std::erase(snapshots_, snapshot);
}

std::vector<MessageRef> Topic::contents(const SnapshotState& snapshot) const {
  const std::lock_guard lock(mutex_);
  auto messages = snapshot.unacknowledged;
  for (const auto& batch : snapshot.later) expand(batch, messages);
  return messages;
}

void Topic::set_retention(Duration retention) {
  const std::lock_guard lock(mutex_);
  retention_ = retention;
  drop_old();
}

std::vector<MessageRef> Topic::retained() const {
  const std::lock_guard lock(mutex_);
  std::vector<MessageRef> messages;
  for (const auto& batch : retained_) {
    if (batch->publish_time() + retention_ > clock_.now()) expand(batch, messages);
  }
  return messages;
}

std::uint64_t Topic::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void Topic::drop_old() {
  const Time now = clock_.now();
  while (!retained_.empty() && retained_.front()->publish_time() + retention_ <= now) retained_.pop_front();
}

}  // namespace cfd::emulator
