// The parts of Subscription that look at, or replace, all of its messages at once.
#include <algorithm>
#include <utility>

#include "emulator/subscription.hpp"

namespace cfd::emulator {

namespace {

void sort_unique(std::vector<MessageRef>& messages) {
  std::ranges::sort(messages, {}, &MessageRef::id);
  // Not std::ranges::unique, nor partition below: their results, subranges, are beyond clang 14 with
  // libstdc++ 12.
  const auto same = [](const MessageRef& a, const MessageRef& b) { return a.id() == b.id(); };
  messages.erase(std::unique(messages.begin(), messages.end(), same), messages.end());
}

}  // namespace

std::vector<MessageRef> Subscription::collect() const {
  std::vector<MessageRef> messages;
  messages.reserve(backlog_size_ + ready_.size() + delayed_.size() + keys_.size() + leases_.size());
  for (const auto& range : backlog_) {
    const auto batch = batch_of(range);
    for (auto i = range.next; batch != nullptr && i < range.end; ++i) messages.push_back({batch, i});
  }
  for (const auto& entry : ready_) messages.push_back(entry.message);
  for (const auto& [at, entry] : delayed_) messages.push_back(entry.message);
  keys_.for_each([&](const Entry& entry) { messages.push_back(entry.message); });
  leases_.for_each([&](const AckToken&, const Lease& lease) { messages.push_back(lease.message); });
  return messages;
}

std::vector<MessageRef> Subscription::unacknowledged() const {
  const std::lock_guard lock(mutex_);
  auto messages = collect();
  sort_unique(messages);
  return messages;
}

void Subscription::restart(std::vector<MessageRef> messages) {
  std::vector<AckToken> held;
  leases_.for_each([&](const AckToken& token, const Lease&) { held.push_back(token); });
  for (const auto& token : held) end_lease(token);
  backlog_.clear();
  backlog_size_ = 0;
  backlog_bytes_ = 0;
  ready_.clear();
  delayed_.clear();
  keys_.clear();
  sort_unique(messages);
  for (auto& message : messages) {
    if (settings_.filter.matches(message.wire())) append(std::move(message));
  }
}

void Subscription::reset(std::vector<MessageRef> messages) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    auto dropped = collect();
    std::ranges::sort(messages, {}, &MessageRef::id);
    std::erase_if(dropped, [&](const MessageRef& message) {
      return std::ranges::binary_search(messages, message.id(), {}, &MessageRef::id);
    });
    for (auto& message : dropped) settle(std::move(message), effects);
    restart(std::move(messages));
    finish(effects);
  }
  apply(std::move(effects));
}

void Subscription::seek(Time time, std::vector<MessageRef> retained) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto before = [&](const MessageRef& message) { return message.batch->publish_time() < time; };
    auto pending = collect();
    const auto passed = std::partition(pending.begin(), pending.end(), std::not_fn(before));
    std::vector<MessageRef> settled(std::make_move_iterator(passed), std::make_move_iterator(pending.end()));
    pending.erase(passed, pending.end());
    std::ranges::copy_if(retained, std::back_inserter(pending), std::not_fn(before));
    const auto revived = std::stable_partition(acked_.begin(), acked_.end(), before);
    pending.insert(pending.end(), revived, acked_.end());
    acked_.erase(revived, acked_.end());
    for (auto& message : settled) settle(std::move(message), effects);
    restart(std::move(pending));
    finish(effects);
  }
  apply(std::move(effects));
}

void Subscription::close(Status reason) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    closed_ = std::move(reason);
    restart({});
    acked_.clear();
    for (const auto& [id, consumer] : consumers_) effects.wake.push_back(consumer);
  }
  apply(std::move(effects));
}

Time Subscription::idle_since() const {
  const std::lock_guard lock(mutex_);
  return consumers_.empty() ? last_used_ : clock_.now();
}

Status Subscription::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

QueueStats Subscription::stats() const {
  const std::lock_guard lock(mutex_);
  QueueStats stats = counters_;
  stats.outstanding = leases_.size();
  stats.backlog = backlog_size_ + ready_.size() + delayed_.size() + keys_.size() + leases_.size();
  const auto note_time = [&](Time at) {
    if (!stats.oldest || at < *stats.oldest) stats.oldest = at;
  };
  const auto note = [&](const MessageRef& message) { note_time(message.batch->publish_time()); };
  if (!backlog_.empty()) note_time(backlog_.front().publish_time);
  for (const auto& entry : ready_) note(entry.message);
  for (const auto& [at, entry] : delayed_) note(entry.message);
  keys_.for_each([&](const Entry& entry) { note(entry.message); });
  leases_.for_each([&](const AckToken&, const Lease& lease) { note(lease.message); });
  return stats;
}

}  // namespace cfd::emulator
