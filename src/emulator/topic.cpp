#include "emulator/topic.hpp"

#include <algorithm>
#include <utility>

namespace cfd::emulator {

void Topic::publish(const BatchPtr& batch) {
  const std::lock_guard lock(mutex_);
  published_ += batch->size();
  for (const auto& snapshot : snapshots_) snapshot->later.push(range_of(batch));
  if (retention_ > Duration::zero()) {
    retained_.push(range_of(batch));
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

std::shared_ptr<SnapshotState> Topic::snapshot(const Subscription& subscription,
                                               const std::function<void()>& seen) {
  const std::lock_guard lock(mutex_);
  auto snapshot = std::make_shared<SnapshotState>(
      SnapshotState{subscription.unacknowledged(seen), Backlog(forgotten_ != nullptr)});
  // What can be brought back is not held in memory for as long as a snapshot lasts.
  if (forgotten_) {
    for (auto& range : snapshot->unacknowledged) range.batch = nullptr;
  }
  snapshots_.push_back(snapshot);
  return snapshot;
}

std::shared_ptr<SnapshotState> Topic::restore_snapshot(std::vector<Range> messages) {
  auto snapshot = std::make_shared<SnapshotState>(SnapshotState{std::move(messages), Backlog(true)});
  const std::lock_guard lock(mutex_);
  snapshots_.push_back(snapshot);
  return snapshot;
}

void Topic::forget(const std::shared_ptr<SnapshotState>& snapshot) {
  const std::lock_guard lock(mutex_);
  std::erase(snapshots_, snapshot);
}

std::vector<Range> Topic::contents(const SnapshotState& snapshot) const {
  const std::lock_guard lock(mutex_);
  auto messages = snapshot.unacknowledged;
  const auto later = snapshot.later.ranges();
  messages.insert(messages.end(), later.begin(), later.end());
  return messages;
}

void Topic::set_retention(Duration retention) {
  const std::lock_guard lock(mutex_);
  retention_ = retention;
  drop_old();
}

std::vector<Range> Topic::retained() const {
  const std::lock_guard lock(mutex_);
  auto messages = retained_.ranges();
  std::erase_if(messages,
                [&](const Range& range) { return range.publish_time + retention_ <= clock_.now(); });
  return messages;
}

void Topic::restore_retained(const std::vector<Range>& messages) {
  const std::lock_guard lock(mutex_);
  for (const auto& range : messages) retained_.push(range);
}

std::uint64_t Topic::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void Topic::drop_old() {
  const Time before = clock_.now() - retention_;
  if (retained_.empty() || retained_.front().publish_time > before) return;
  while (!retained_.empty() && retained_.front().publish_time <= before) retained_.pop_range();
  if (forgotten_) forgotten_(before);
}

}  // namespace cfd::emulator
