// The parts of Subscription that look at, or replace, all of its messages at once.
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <utility>

#include <cfd/error.hpp>

#include "emulator/subscription.hpp"

namespace cfd::emulator {

std::vector<Range> Subscription::collect() const {
  auto messages = backlog_.ranges();
  for (const auto& entry : ready_) append_message(messages, entry.message);
  for (const auto& [at, entry] : delayed_) append_message(messages, entry.message);
  keys_.for_each([&](const Entry& entry) { append_message(messages, entry.message); });
  leases_.for_each([&](const AckToken&, const Lease& lease) { append_message(messages, lease.message); });
  normalize(messages);
  return messages;
}

std::vector<Range> Subscription::unacknowledged(const std::function<void()>& seen) const {
  const std::lock_guard lock(mutex_);
  auto messages = collect();
  if (seen) seen();
  return messages;
}

/// Puts these messages, as far as they pass the filter, in the place of all others. Returns what passed.
std::vector<Range> Subscription::restart(const std::vector<Range>& messages) {
  std::vector<AckToken> held;
  leases_.for_each([&](const AckToken& token, const Lease&) { held.push_back(token); });
  for (const auto& token : held) end_lease(token);
  backlog_.clear();
  ready_.clear();
  delayed_.clear();
  keys_.clear();
  attempts_.clear();
  std::vector<Range> passed;
  for (const auto& range : messages) {
    if (settings_.filter.empty()) {
      passed.push_back(range);
      continue;
    }
    BatchPtr batch = range.batch;
    try {
      if (batch == nullptr) batch = hooks_.load(range.first_id);
    } catch (const Error&) {
      passed.push_back(range);  // It cannot be read: whoever is to get it hears why.
      continue;
    }
    for (auto i = range.next; batch != nullptr && i < range.end; ++i) {
      if (settings_.filter.matches(batch->wire(i))) append_message(passed, {batch, i});
    }
  }
  for (const auto& range : passed) backlog_.push(range);
  return passed;
}

void Subscription::reset(std::vector<Range> messages) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto pending = collect();
    normalize(messages);
    for (const auto& dropped : subtract(pending, messages)) settle(dropped, effects);
    effects.revived = subtract(restart(messages), pending);
    finish(effects);
  }
  apply(std::move(effects));
}

void Subscription::seek(Time time, std::vector<Range> retained) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto before = [&](const Range& range) { return range.publish_time < time; };
    const auto pending = collect();
    const auto acknowledged = acked_.ranges();
    std::vector<Range> open;
    for (const auto* source :
         std::initializer_list<const std::vector<Range>*>{&pending, &retained, &acknowledged})
      std::copy_if(source->begin(), source->end(), std::back_inserter(open), std::not_fn(before));
    acked_.clear();
    for (const auto& range : acknowledged) {
      if (before(range)) acked_.push(range);
    }
    for (const auto& range : pending) {
      if (before(range)) settle(range, effects);
    }
    normalize(open);
    effects.revived = subtract(restart(open), pending);
    finish(effects);
  }
  apply(std::move(effects));
}

void Subscription::close(Status reason) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    closed_ = std::move(reason);
    static_cast<void>(restart({}));
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
  stats.backlog = backlog_.size() + ready_.size() + delayed_.size() + keys_.size() + leases_.size();
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
