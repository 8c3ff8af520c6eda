// The parts of Subscription for what comes back: leases that end, pauses between attempts, dead letters, age.
#include <algorithm>
#include <utility>

#include "emulator/subscription.hpp"

namespace cfd::emulator {

namespace {

constexpr std::size_t max_backoff_doublings = 16;

template <typename T>
void keep_earliest(std::optional<T>& earliest, const std::optional<T>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

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

void Subscription::arm_timer(Effects& effects) {
  const auto next = next_event();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = effects.timer = next;
}

/// Hands over what failed too often; adds to `acknowledged` what was taken, and tries the rest again later.
void Subscription::bury(std::vector<Entry> dead, std::vector<Range>& acknowledged) {
  std::vector<Entry> stay;
  for (auto& entry : dead) {
    if (hooks_.dead_letter && hooks_.dead_letter(entry.message, entry.attempts))
      append_message(acknowledged, entry.message);
    else
      stay.push_back(std::move(entry));
  }
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    counters_.dead_lettered += dead.size() - stay.size();
    const Time again = clock_.now() + std::max<Duration>(backoff(1), std::chrono::seconds{10});
    for (auto& entry : stay) delayed_.emplace(again, std::move(entry));
    finish(effects);
  }
  apply(std::move(effects));
}

/// Ends a lease whose message was not acknowledged.
void Subscription::give_back(const AckToken& token, Step why, Time now, Effects& effects) {
  ++counters_.failed;
  Lease lease = end_lease(token);
  Entry entry{std::move(lease.message), lease.attempts + 1};
  if (hooks_.log != nullptr) hooks_.log->record(why, uid_, entry.message.id(), now, entry.attempts);
  if (settings_.max_attempts != 0 || settings_.backoff) effects.failed.push_back(entry);
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

void Subscription::note_refused_push(std::uint64_t message, int status) const {
  if (hooks_.log != nullptr)
    hooks_.log->record(Step::push_refused, uid_, message, clock_.now(), static_cast<std::uint32_t>(status));
}

void Subscription::note(Step step, const std::vector<Range>& ranges, Time now) const {
  if (hooks_.log == nullptr) return;
  for (const auto& range : ranges) {
    for (auto i = range.next; i < range.end; ++i) hooks_.log->record(step, uid_, range.first_id + i, now);
  }
}

Duration Subscription::backoff(std::uint32_t attempts) const {
  if (!settings_.backoff) return Duration::zero();
  const auto& [minimum, maximum] = *settings_.backoff;
  const auto doublings = std::min<std::size_t>(attempts - 1, max_backoff_doublings);
  return std::min(maximum, minimum * (std::int64_t{1} << doublings));
}

void Subscription::drop_old(Time now, Effects& effects) {
  while (!backlog_.empty() && too_old(backlog_.front().publish_time, now)) {
    effects.acknowledged.push_back(backlog_.front());
    backlog_.pop_range();
  }
  while (!acked_.empty() && too_old(acked_.front().publish_time, now)) {
    acked_.pop_range();
    effects.forgotten = now - settings_.retention;
  }
}

std::optional<Time> Subscription::next_event() const {
  std::optional<Time> next = leases_.next_deadline();
  keep_earliest(next, keys_.next_event());
  if (!delayed_.empty()) keep_earliest(next, std::optional{delayed_.begin()->first});
  if (!backlog_.empty())
    keep_earliest(next, std::optional{backlog_.front().publish_time + settings_.retention});
  if (!acked_.empty()) keep_earliest(next, std::optional{acked_.front().publish_time + settings_.retention});
  return next;
}

}  // namespace cfd::emulator
