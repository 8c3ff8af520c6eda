#include "emulator/ordering.hpp"

#include <algorithm>
#include <utility>

namespace cfd::emulator {

namespace {

bool same(const AckToken& a, const AckToken& b) noexcept {
  return a.slot == b.slot && a.generation == b.generation;
}

}  // namespace

bool KeyQueues::may_deliver(const std::string& key, std::uint32_t consumer) const {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return true;
  const Key& state = found->second;
  const bool same_holder = state.consumer == consumer && consumer != nobody;
  return state.waiting.empty() && !state.delayed && (state.out.empty() || same_holder);
}

void KeyQueues::wait(const std::string& key, Entry entry) {
  keys_[key].waiting.push_back(std::move(entry));
  ++size_;
  update(key);
}

std::optional<Entry> KeyQueues::next_ready(std::uint32_t consumer) {
  while (!ready_.empty()) {
    const std::string key = ready_.front();
    Key& state = keys_.at(key);
    // A key stays in front while one take() empties it; with something out it is another consumer's.
    const bool same_holder = state.consumer == consumer && consumer != nobody;
    if (state.delayed || state.waiting.empty() || (!state.out.empty() && !same_holder)) {
      state.ready = false;
      ready_.pop_front();
      continue;
    }
    Entry entry = std::move(state.waiting.front());
    state.waiting.pop_front();
    --size_;
    if (state.waiting.empty()) {
      state.ready = false;
      ready_.pop_front();
    }
    return entry;
  }
  return std::nullopt;
}

void KeyQueues::delivered(const std::string& key, const AckToken& token, std::uint32_t consumer) {
  Key& state = keys_[key];
  state.out.push_back(token);
  state.consumer = consumer;
}

void KeyQueues::done(const std::string& key, const AckToken& token) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  std::erase_if(found->second.out, [&](const AckToken& out) { return same(out, token); });
  update(key);
}

std::vector<AckToken> KeyQueues::followers(const std::string& key, const AckToken& token) const {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return {};
  const auto& out = found->second.out;
  const auto self = std::ranges::find_if(out, [&](const AckToken& other) { return same(other, token); });
  return self == out.end() ? std::vector<AckToken>{} : std::vector<AckToken>(self + 1, out.end());
}

void KeyQueues::put_back(const std::string& key, std::deque<Entry> entries, std::optional<Time> at) {
  Key& state = keys_[key];
  size_ += entries.size();
  state.waiting.insert(state.waiting.begin(), std::make_move_iterator(entries.begin()),
                       std::make_move_iterator(entries.end()));
  if (at && !state.delayed) {
    state.delayed = true;
    delayed_.emplace(*at, key);
  }
  update(key);
}

void KeyQueues::on_timer(Time now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const std::string key = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    keys_[key].delayed = false;
    update(key);
  }
}

std::optional<Time> KeyQueues::next_event() const {
  return delayed_.empty() ? std::nullopt : std::optional{delayed_.begin()->first};
}

void KeyQueues::clear() {
  keys_.clear();
  ready_.clear();
  delayed_.clear();
  size_ = 0;
}

/// Lets a key's messages go once nothing holds them back, and forgets a key that has none.
void KeyQueues::update(const std::string& key) {
  const auto found = keys_.find(key);
  Key& state = found->second;
  if (state.delayed || !state.out.empty()) return;
  if (state.waiting.empty()) {
    if (!state.ready) keys_.erase(found);
    return;
  }
  if (!state.ready) {
    state.ready = true;
    ready_.push_back(key);
  }
}

}  // namespace cfd::emulator
