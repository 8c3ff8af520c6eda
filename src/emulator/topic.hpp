#pragma once

/// \file
/// A topic hands each batch to its subscriptions, to the snapshots taken of them, and to its own memory, if
/// it keeps one. Thread-safe.

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "emulator/backlog.hpp"
#include "emulator/message.hpp"
#include "emulator/subscription.hpp"

namespace cfd::emulator {

/// The messages a subscription had not acknowledged at a moment, and all published since. Filled by the
/// Topic.
struct SnapshotState {
  std::vector<Range> unacknowledged;
  Backlog later;
};

class Topic {
 public:
  /// `forgotten`, if any, means that batches are kept elsewhere as well: it is told the time before which
  /// nothing needs to be kept for the topic's own sake any longer.
  using Forgotten = std::function<void(Time)>;
  explicit Topic(const Clock& clock, Forgotten forgotten = {})
      : clock_(clock), forgotten_(std::move(forgotten)), retained_(forgotten_ != nullptr) {}

  /// Delivers a batch. Every subscription gets the batches of a topic in the same order.
  void publish(const BatchPtr& batch);

  void attach(std::shared_ptr<Subscription> subscription);
  void detach(const std::shared_ptr<Subscription>& subscription);

  /// Takes the subscription's unacknowledged messages, and follows the topic from the same moment on. `seen`
  /// is called at that moment, when nothing can be acknowledged.
  std::shared_ptr<SnapshotState> snapshot(const Subscription& subscription,
                                          const std::function<void()>& seen);
  /// Follows the topic for a snapshot that was taken before.
  std::shared_ptr<SnapshotState> restore_snapshot(std::vector<Range> messages);
  void forget(const std::shared_ptr<SnapshotState>& snapshot);
  /// What the snapshot holds now.
  std::vector<Range> contents(const SnapshotState& snapshot) const;

  /// How long messages are kept for a seek; zero: not at all.
  void set_retention(Duration retention);
  std::vector<Range> retained() const;
  /// Takes over what was kept before.
  void restore_retained(const std::vector<Range>& messages);

  std::uint64_t published() const;

 private:
  void drop_old();

  const Clock& clock_;
  const Forgotten forgotten_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::vector<std::shared_ptr<SnapshotState>> snapshots_;
  Duration retention_{0};
  Backlog retained_;
  std::uint64_t published_ = 0;
};

}  // namespace cfd::emulator
