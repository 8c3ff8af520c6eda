#include "emulator/subscription.hpp"

#include <algorithm>
#include <utility>

namespace cfd::emulator {

namespace {

constexpr std::size_t max_backoff_doublings = 16;
/// What of a backlog stays in memory, in bytes, where it can be brought back from elsewhere.
constexpr std::size_t max_backlog_bytes = 32U << 20U;

std::int64_t bytes_of(const MessageRef& message) noexcept {
  return static_cast<std::int64_t>(message.wire().size());
}

bool has_room(const Consumer& consumer) noexcept {
  return consumer.messages < consumer.max_messages && consumer.bytes < consumer.max_bytes;
}

template <typename T>
void keep_earliest(std::optional<T>& earliest, const std::optional<T>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

Subscription::Subscription(std::uint32_t uid, QueueSettings settings, const Clock& clock, QueueHooks hooks)
    : uid_(uid),
      clock_(clock),
      hooks_(std::move(hooks)),
      settings_(std::move(settings)),
      leases_(uid),
      last_used_(clock.now()) {}

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
      push_range(batch, 0, static_cast<std::uint32_t>(batch->size()));
    } else {
      for (std::uint32_t i = 0; i < batch->size(); ++i) {
        MessageRef message{batch, i};
        if (settings_.filter.matches(message.wire()))
          append(std::move(message));
        else
          effects.acknowledged.push_back(
              std::move(message));  // What the filter holds back counts as acknowledged.
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
        settle(std::move(entry->message), effects);
        continue;
      }
      bytes += entry->message.wire().size();
      deliveries.push_back(lease(std::move(*entry), *consumer, now + deadline));
    }
    counters_.delivered += deliveries.size();
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
      settle(std::move(lease.message), effects);
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

void Subscription::on_timer() {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const Time now = clock_.now();
    armed_.reset();
    for (const auto& token : leases_.expired(now)) {
      // An ordered message takes those after it along, which may have expired as well.
      if (leases_.find(token) != nullptr) give_back(token, Step::deadline_passed, now, effects);
    }
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
      ready_.push_back(std::move(delayed_.begin()->second));
      delayed_.erase(delayed_.begin());
    }
    keys_.on_timer(now);
    drop_old(now, effects);
    finish(effects);
  }
  apply(std::move(effects));
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

void Subscription::arm_timer(Effects& effects) {
  const auto next = next_event();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = effects.timer = next;
}

/// Does what must not be done under the lock.
void Subscription::apply(Effects effects) {
  if (effects.timer && hooks_.schedule) hooks_.schedule(*effects.timer);
  for (const auto& consumer : effects.wake) consumer->wake();
  std::vector<Entry> stay;
  for (auto& entry : effects.dead) {
    if (hooks_.dead_letter && hooks_.dead_letter(entry.message, entry.attempts)) {
      effects.acknowledged.push_back(std::move(entry.message));
    } else {
      stay.push_back(std::move(entry));
    }
  }
  if (!effects.dead.empty()) {
    Effects more;
    {
      const std::lock_guard lock(mutex_);
      counters_.dead_lettered += effects.dead.size() - stay.size();
      const Time again = clock_.now() + std::max<Duration>(backoff(1), std::chrono::seconds{10});
      for (auto& entry : stay) delayed_.emplace(again, std::move(entry));
      finish(more);
    }
    apply(std::move(more));
  }
  if (!effects.acknowledged.empty() && hooks_.acknowledged) hooks_.acknowledged(effects.acknowledged);
}

void Subscription::append(MessageRef message) {
  if (!backlog_.empty() && backlog_.back().first_id == message.batch->id(0) &&
      backlog_.back().end == message.index) {
    ++backlog_.back().end;
    ++backlog_size_;
    return;
  }
  push_range(message.batch, message.index, message.index + 1);
}

void Subscription::push_range(const BatchPtr& batch, std::uint32_t next, std::uint32_t end) {
  const bool keep = !hooks_.load || backlog_bytes_ < max_backlog_bytes;
  backlog_.push_back({keep ? batch : nullptr, batch->id(0), batch->publish_time(), next, end});
  backlog_size_ += end - next;
  if (keep) backlog_bytes_ += batch->bytes().size();
}

void Subscription::restore(std::uint64_t first_id, Time publish_time, std::uint32_t next, std::uint32_t end) {
  const std::lock_guard lock(mutex_);
  backlog_.push_back({nullptr, first_id, publish_time, next, end});
  backlog_size_ += end - next;
}

BatchPtr Subscription::batch_of(const Range& range) const {
  return range.batch != nullptr ? range.batch : hooks_.load(range.first_id);
}

void Subscription::pop_range() {
  const Range& front = backlog_.front();
  backlog_size_ -= front.end - front.next;
  if (front.batch != nullptr) backlog_bytes_ -= front.batch->bytes().size();
  backlog_.pop_front();
}

std::optional<Entry> Subscription::next_entry(std::uint32_t key_holder) {
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
    Range& front = backlog_.front();
    if (front.batch == nullptr) {
      front.batch = hooks_.load(front.first_id);
      if (front.batch == nullptr) {  // Gone from where it was kept; there is nothing left to deliver.
        pop_range();
        continue;
      }
      backlog_bytes_ += front.batch->bytes().size();
    }
    Entry entry{{front.batch, front.next}, 0};
    ++front.next;
    --backlog_size_;
    if (front.next == front.end) pop_range();
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

/// Ends a lease whose message was not acknowledged.
void Subscription::give_back(const AckToken& token, Step why, Time now, Effects& effects) {
  ++counters_.failed;
  Lease lease = end_lease(token);
  Entry entry{std::move(lease.message), lease.attempts + 1};
  if (hooks_.log != nullptr) hooks_.log->record(why, uid_, entry.message.id(), now, entry.attempts);
  const std::string key(entry.message.ordering_key());
  if (!settings_.ordered || key.empty()) {
    retry(std::move(entry), effects);
    return;
  }
  const auto followers = keys_.followers(key, token);
  const Duration pause = backoff(entry.attempts);
  std::deque<Entry> back;
  if (settings_.max_attempts != 0 && entry.attempts >= settings_.max_attempts)
    effects.dead.push_back(std::move(entry));
  else
    back.push_back(std::move(entry));
  for (const auto& follower : followers) {
    Lease other = end_lease(follower);
    back.push_back({std::move(other.message), other.attempts});
  }
  keys_.put_back(key, std::move(back),
                 pause > Duration::zero() ? std::optional{clock_.now() + pause} : std::nullopt);
  keys_.done(key, token);
  for (const auto& follower : followers) keys_.done(key, follower);
}

void Subscription::retry(Entry entry, Effects& effects) {
  if (settings_.max_attempts != 0 && entry.attempts >= settings_.max_attempts) {
    effects.dead.push_back(std::move(entry));
  } else if (const Duration pause = backoff(entry.attempts); pause > Duration::zero()) {
    delayed_.emplace(clock_.now() + pause, std::move(entry));
  } else {
    ready_.push_back(std::move(entry));
  }
}

void Subscription::note(Step step, const std::vector<MessageRef>& messages, Time now) {
  if (hooks_.log == nullptr) return;
  for (const auto& message : messages) hooks_.log->record(step, uid_, message.id(), now);
}

void Subscription::settle(MessageRef message, Effects& effects) {
  ++counters_.acknowledged;
  if (settings_.retain_acked) acked_.push_back(message);
  effects.acknowledged.push_back(std::move(message));
}

Duration Subscription::backoff(std::uint32_t attempts) const {
  if (!settings_.backoff) return Duration::zero();
  const auto& [minimum, maximum] = *settings_.backoff;
  const auto doublings = std::min<std::size_t>(attempts - 1, max_backoff_doublings);
  return std::min(maximum, minimum * (std::int64_t{1} << doublings));
}

void Subscription::drop_old(Time now, Effects& effects) {
  while (!backlog_.empty() && too_old(backlog_.front().publish_time, now)) {
    const Range& front = backlog_.front();
    if (const auto batch = batch_of(front)) {
      for (auto i = front.next; i < front.end; ++i) effects.acknowledged.push_back({batch, i});
    }
    pop_range();
  }
  note(Step::expired, effects.acknowledged, now);
  while (!acked_.empty() && too_old(acked_.front().batch->publish_time(), now)) acked_.pop_front();
}

std::optional<Time> Subscription::next_event() const {
  std::optional<Time> next = leases_.next_deadline();
  keep_earliest(next, keys_.next_event());
  if (!delayed_.empty()) keep_earliest(next, std::optional{delayed_.begin()->first});
  if (!backlog_.empty())
    keep_earliest(next, std::optional{backlog_.front().publish_time + settings_.retention});
  if (!acked_.empty())
    keep_earliest(next, std::optional{acked_.front().batch->publish_time() + settings_.retention});
  return next;
}

}  // namespace cfd::emulator
