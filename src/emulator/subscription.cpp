#include "emulator/subscription.hpp"

#include <algorithm>
#include <utility>

#include <cfd/error.hpp>

namespace cfd::emulator {

namespace {

std::int64_t bytes_of(const MessageRef& message) noexcept {
  return static_cast<std::int64_t>(message.wire().size());
}

bool has_room(const Consumer& consumer) noexcept {
  return consumer.messages < consumer.max_messages && consumer.bytes < consumer.max_bytes;
}

}  // namespace

Subscription::Subscription(std::uint32_t uid, QueueSettings settings, const Clock& clock, QueueHooks hooks)
    : uid_(uid),
      clock_(clock),
      hooks_(std::move(hooks)),
      settings_(std::move(settings)),
      backlog_(hooks_.load != nullptr),
      leases_(uid),
      last_used_(clock.now()),
      acked_(hooks_.load != nullptr) {}

QueueSettings Subscription::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Subscription::change(QueueSettings settings) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
  if (!settings_.retain_acked) acked_.clear();
}

void Subscription::publish(const BatchPtr& batch) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    if (settings_.filter.empty()) {
      backlog_.push(range_of(batch));
    } else {
      for (std::uint32_t i = 0; i < batch->size(); ++i) {
        const MessageRef message{batch, i};
        if (settings_.filter.matches(message.wire()))
          backlog_.push(range_of(message));
        else
          append_message(effects.acknowledged,
                         message);  // What the filter holds back counts as acknowledged.
      }
      note(Step::filtered, effects.acknowledged, batch->publish_time());
    }
    finish(effects);
  }
  apply(std::move(effects));
}

ConsumerPtr Subscription::add_consumer(std::function<void()> wake, std::int64_t max_messages,
                                       std::int64_t max_bytes) {
  auto consumer = std::make_shared<Consumer>();
  consumer->wake = std::move(wake);
  if (max_messages > 0) consumer->max_messages = max_messages;
  if (max_bytes > 0) consumer->max_bytes = max_bytes;
  const std::lock_guard lock(mutex_);
  consumer->id = ++last_consumer_;
  consumers_.emplace(consumer->id, consumer);
  return consumer;
}

void Subscription::remove_consumer(const ConsumerPtr& consumer) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    consumers_.erase(consumer->id);
    last_used_ = clock_.now();
    finish(effects);  // It may have been woken for a message that now is another's to take.
  }
  apply(std::move(effects));
}

std::vector<Delivery> Subscription::take(const ConsumerPtr& consumer, std::size_t max_messages,
                                         std::size_t max_bytes, Duration deadline) {
  std::vector<Delivery> deliveries;
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const Time now = clock_.now();
    const std::uint32_t key_holder = consumer->one_per_key ? KeyQueues::nobody : consumer->id;
    std::size_t bytes = 0;
    while (deliveries.size() < max_messages && bytes < max_bytes && has_room(*consumer) && closed_.ok()) {
      auto entry = next_entry(key_holder);
      if (!entry) break;
      if (too_old(entry->message.batch->publish_time(), now)) {
        settle(range_of(entry->message), effects);
        continue;
      }
      bytes += entry->message.wire().size();
      deliveries.push_back(lease(std::move(*entry), *consumer, now + deadline));
      ++counters_.delivered;
    }
    note(Step::expired, effects.acknowledged, now);
    if (hooks_.log != nullptr) {
      for (const auto& delivery : deliveries)
        hooks_.log->record(Step::delivered, uid_, delivery.message.id(), now, consumer->id);
    }
    // Nobody is woken here: taking makes nothing ready, and the taker may hold locks that a woken one would
    // want.
    arm_timer(effects);
    consumer->hungry = deliveries.empty();
    last_used_ = now;
  }
  apply(std::move(effects));
  return deliveries;
}

std::vector<bool> Subscription::acknowledge(std::span<const AckToken> tokens) {
  std::vector<bool> held(tokens.size());
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      held[i] = leases_.find(tokens[i]) != nullptr;
      if (!held[i]) continue;
      auto lease = end_lease(tokens[i]);
      if (settings_.ordered) keys_.done(std::string(lease.message.ordering_key()), tokens[i]);
      settle(range_of(lease.message), effects);
    }
    note(Step::acknowledged, effects.acknowledged, clock_.now());
    finish(effects);
  }
  apply(std::move(effects));
  return held;
}

std::vector<bool> Subscription::modify_deadline(std::span<const AckToken> tokens,
                                                std::span<const Duration> deadlines) {
  std::vector<bool> held(tokens.size());
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const Time now = clock_.now();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      held[i] = leases_.find(tokens[i]) != nullptr;
      if (!held[i]) continue;
      if (deadlines[i] > Duration::zero())
        leases_.extend(tokens[i], now + deadlines[i]);
      else
        give_back(tokens[i], Step::nacked, now, effects);
    }
    finish(effects);
  }
  apply(std::move(effects));
  return held;
}

/// Wakes who can be served, each in its turn, and arms the timer. Called at the end of every change, under
/// the lock.
void Subscription::finish(Effects& effects) {
  std::size_t ready = ready_count();
  auto consumer = consumers_.upper_bound(turn_);
  for (std::size_t i = 0; ready > 0 && i < consumers_.size(); ++i, ++consumer) {
    if (consumer == consumers_.end()) consumer = consumers_.begin();
    if (!consumer->second->hungry || !has_room(*consumer->second)) continue;
    consumer->second->hungry = false;
    effects.wake.push_back(consumer->second);
    turn_ = consumer->first;
    --ready;
  }
  arm_timer(effects);
}

/// Does what must not be done under the lock.
void Subscription::apply(Effects effects) {
  if (effects.timer && hooks_.schedule) hooks_.schedule(*effects.timer);
  for (const auto& consumer : effects.wake) consumer->wake();
  if (!effects.failed.empty() && hooks_.failed) hooks_.failed(effects.failed);
  if (!effects.dead.empty()) bury(std::move(effects.dead), effects.acknowledged);
  if (!effects.acknowledged.empty() && hooks_.acknowledged) hooks_.acknowledged(effects.acknowledged);
  if (!effects.revived.empty() && hooks_.revived) hooks_.revived(effects.revived);
  if (effects.forgotten && hooks_.forgotten) hooks_.forgotten(*effects.forgotten);
}

void Subscription::restore(Remains remains) {
  const std::lock_guard lock(mutex_);
  for (auto& range : remains.open) backlog_.push(std::move(range));
  for (auto& range : remains.acknowledged) acked_.push(std::move(range));
  attempts_ = std::move(remains.attempts);
}

/// Brings back the first batch of the backlog. False where that is not possible, and the queue has ended.
bool Subscription::load_front() {
  const Range& front = backlog_.front();
  if (front.batch != nullptr) return true;
  try {
    if (auto batch = hooks_.load(front.first_id)) {
      backlog_.load_front(std::move(batch));
    } else {
      backlog_.pop_range();  // Gone from where it was kept; there is nothing left to deliver.
    }
    return true;
  } catch (const Error& error) {
    // To go on would be to lose what cannot be read without a word.
    closed_ = {Code::data_loss, error.what()};
    return false;
  }
}

std::optional<Entry> Subscription::next_entry(std::uint32_t key_holder) {
  // In turns, so that messages that fail again and again do not keep those behind them waiting for ever: a
  // pusher that was slowed down by failures takes one at a time.
  if (!ready_.empty() && counters_.delivered % 2 != 0)
    if (auto entry = next_fresh(key_holder)) return entry;
  if (!ready_.empty()) {
    Entry entry = std::move(ready_.front());
    ready_.pop_front();
    return entry;
  }
  if (auto entry = keys_.next_ready(key_holder)) return entry;
  return next_fresh(key_holder);
}

std::optional<Entry> Subscription::next_fresh(std::uint32_t key_holder) {
  while (!backlog_.empty()) {
    if (!load_front()) return std::nullopt;
    if (backlog_.empty() || backlog_.front().batch == nullptr) continue;
    Entry entry{backlog_.pop_message(), 0};
    if (!attempts_.empty()) {
      if (const auto failed = attempts_.extract(entry.message.id())) entry.attempts = failed.mapped();
    }
    if (!settings_.ordered || entry.message.ordering_key().empty()) return entry;
    const std::string key(entry.message.ordering_key());
    if (keys_.may_deliver(key, key_holder)) return entry;
    keys_.wait(key, std::move(entry));
  }
  return std::nullopt;
}

Delivery Subscription::lease(Entry entry, Consumer& consumer, Time deadline) {
  consumer.messages += 1;
  consumer.bytes += bytes_of(entry.message);
  Delivery delivery{entry.message, {}, settings_.max_attempts == 0 ? 0 : entry.attempts + 1};
  delivery.token = leases_.grant({std::move(entry.message), entry.attempts, consumer.id, deadline});
  if (settings_.ordered && !delivery.message.ordering_key().empty()) {
    keys_.delivered(std::string(delivery.message.ordering_key()), delivery.token,
                    consumer.one_per_key ? KeyQueues::nobody : consumer.id);
  }
  return delivery;
}

Lease Subscription::end_lease(const AckToken& token) {
  Lease lease = leases_.release(token);
  if (const auto holder = consumers_.find(lease.consumer); holder != consumers_.end()) {
    holder->second->messages -= 1;
    holder->second->bytes -= bytes_of(lease.message);
  }
  return lease;
}

void Subscription::settle(const Range& range, Effects& effects) {
  counters_.acknowledged += range.size();
  if (settings_.retain_acked) acked_.push(range);
  if (!effects.acknowledged.empty() && effects.acknowledged.back().first_id == range.first_id &&
      effects.acknowledged.back().end == range.next)
    effects.acknowledged.back().end = range.end;
  else
    effects.acknowledged.push_back(range);
}

}  // namespace cfd::emulator
