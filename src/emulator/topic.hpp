#pragma once

/// \file
/// A topic hands each batch to its subscriptions, to the snapshots taken of them, and to its own memory, if
/// it keeps one. Thread-safe.

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "emulator/message.hpp"
#include "emulator/subscription.hpp"

namespace cfd::emulator {

/// The messages a subscription had not acknowledged at a moment, and all published since. Filled by the
/// Topic.
struct SnapshotState {
  std::vector<MessageRef> unacknowledged;
  std::vector<BatchPtr> later;
};

class Topic {
 public:
  explicit Topic(const Clock& clock) : clock_(clock) {}

  /// Delivers a batch. Every subscription gets the batches of a topic in the same order.
  void publish(const BatchPtr& batch);

  void attach(std::shared_ptr<Subscription> subscription);
  void detach(const std::shared_ptr<Subscription>& subscription);

  /// Takes the subscription's unacknowledged messages, and follows the topic from the same moment on.
  std::shared_ptr<SnapshotState> snapshot(const Subscription& subscription);
  void forget(const std::shared_ptr<SnapshotState>& snapshot);
  /// What the snapshot holds now.
  std::vector<MessageRef> contents(const SnapshotState& snapshot) const;

  /// How long messages are kept for a seek; zero: not at all.
  void set_retention(Duration retention);
  std::vector<MessageRef> retained() const;

  std::uint64_t published() const;

 private:
  void drop_old();

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::vector<std::shared_ptr<SnapshotState>> snapshots_;
  Duration retention_{0};
  std::deque<BatchPtr> retained_;
  std::uint64_t published_ = 0;
};

}  // namespace cfd::emulator
