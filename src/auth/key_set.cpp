#include "auth/key_set.hpp"

#include <algorithm>
#include <utility>

#include <cfd/log.hpp>

namespace cfd::auth {

KeySet::KeySet(std::string url, Times times, Fetch fetch)
    : url_(std::move(url)),
      times_(times),
      fetch_(std::move(fetch)),
      pause_(times.after_failure),
      thread_([this](const std::stop_token& stop) { run(stop); }) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, times_.first, [this] { return fetched_; });
}

KeySet::~KeySet() {
  thread_.request_stop();
  thread_.join();
}

KeySet::Found KeySet::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (keys_.empty() || Clock::now() >= stale_at_) return {nullptr, false, generation_};
  if (const auto at = keys_.find(id); at != keys_.end()) return {at->second, true, generation_};
  if (!std::exchange(wanted_, true)) changed_.notify_all();
  return {nullptr, true, generation_};
}

KeySet::Found KeySet::state() {
  const std::lock_guard lock(mutex_);
  return {nullptr, !keys_.empty() && Clock::now() < stale_at_, generation_};
}

void KeySet::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    fetch_once(lock, stop);
    // An attacker can make up key ids; that must not make us a nuisance to whoever serves the keys.
    const auto due = [this] { return wanted_ ? std::min(next_, last_ + times_.between_unknown) : next_; };
    while (!stop.stop_requested() && Clock::now() < due()) {
      const bool before = wanted_;
      changed_.wait_until(lock, stop, due(), [&] { return wanted_ != before; });
    }
  }
}

void KeySet::fetch_once(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  lock.unlock();
  Fetched fetched = fetch_(url_, stop);
  lock.lock();
  if (stop.stop_requested()) return;
  last_ = Clock::now();
  wanted_ = false;
  take(std::move(fetched));
  fetched_ = true;
  changed_.notify_all();
}

void KeySet::take(Fetched fetched) {
  Keys keys;
  std::string fault = std::move(fetched.error);
  if (fault.empty()) fault = parse_key_set(fetched.body, keys);
  if (!fault.empty()) {
    log::error("the keys that pushes are signed with could not be fetched from {}: {}; {}", url_, fault,
               keys_.empty() || last_ >= stale_at_ ? "until they are, every push is answered 503"
                                                   : "those fetched before go on being used");
    next_ = last_ + pause_;
    pause_ = std::min(pause_ * 2, times_.least);
    return;
  }
  const Duration age =
      fetched.max_age.count() > 0 ? std::chrono::duration_cast<Duration>(fetched.max_age) : times_.otherwise;
  const Duration kept = std::clamp(age, times_.least, times_.most);
  next_ = last_ + kept;
  stale_at_ = next_ + times_.stale;
  pause_ = times_.after_failure;
  if (fetched.body == body_) return;
  body_ = std::move(fetched.body);
  keys_ = std::move(keys);
  ++generation_;
  log::info("pushes are verified with {} keys from {}", keys_.size(), url_);
}

}  // namespace cfd::auth
