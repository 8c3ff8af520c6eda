#include "pubsub/publish_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cfd::pubsub {
namespace {

/// Calls of one batch share the deadline of the first, so a batch does not stay open long enough for that to
/// matter.
constexpr std::chrono::milliseconds longest_open{1000};

}  // namespace

bool PublishQueue::full(const Batch& batch) const noexcept {
  return batch.calls.size() >= options_.full_messages || batch.payload() >= options_.full_bytes;
}

bool PublishQueue::takes(const Batch* batch, std::size_t size, Clock::time_point now) const noexcept {
  return batch != nullptr && batch->epoch == epoch_ && !full(*batch) && batch->failures == 0 &&
         batch->request->size() + size <= max_request_bytes && now - batch->opened < longest_open;
}

BatchPtr PublishQueue::open(std::string_view ordering_key, Clock::time_point now) {
  BatchPtr batch = make_batch(options_.topic, ordering_key);
  batch->epoch = epoch_;
  batch->opened = now;
  batch->deadline = now + options_.publish_timeout;
  return batch;
}

bool PublishQueue::add(const transport::Outgoing& message, EncodedSize size, detail::CallStatePtr& call,
                       Clock::time_point now) {
  if (!message.ordering_key.empty()) {
    if (all_keys_stopped_) return false;
    auto& key = *keys_.try_emplace(std::string(message.ordering_key)).first;
    if (key.second.stopped) return false;
    add_to_key(message, size, call, key, now);
  } else {
    if (!takes(open_.get(), size.field, now)) {
      if (open_) ready_.push_back({std::move(open_), nullptr});
      open_ = open({}, now);
    }
    append(*open_, message, size, std::move(call));
    if (full(*open_)) ready_.push_back({std::move(open_), nullptr});
  }
  ++queued_in_epoch_;
  ++messages_;
  bytes_ += size.field;
  return true;
}

void PublishQueue::add_to_key(const transport::Outgoing& message, EncodedSize size,
                              detail::CallStatePtr& call, Keys::value_type& key, Clock::time_point now) {
  auto& waiting = key.second.waiting;
  if (waiting.empty() || !takes(waiting.back().get(), size.field, now))
    waiting.push_back(open(key.first, now));
  append(*waiting.back(), message, size, std::move(call));
  if (!std::exchange(key.second.busy, true)) ready_.push_back({nullptr, &key});
}

BatchPtr PublishQueue::next(Clock::time_point now) {
  const auto due =
      std::find_if(retries_.begin(), retries_.end(), [now](const Retry& r) { return r.due <= now; });
  if (due != retries_.end()) {
    BatchPtr batch = std::move(due->batch);
    retries_.erase(due);
    ++sending_;
    return batch;
  }
  if (sending_ + retries_.size() >= options_.max_in_flight) return nullptr;
  BatchPtr batch;
  if (!ready_.empty()) {
    Ready ready = std::move(ready_.front());
    ready_.pop_front();
    if (ready.key != nullptr) {
      batch = std::move(ready.key->second.waiting.front());
      ready.key->second.waiting.pop_front();
    } else {
      batch = std::move(ready.batch);
    }
  } else if (open_ && (sending_ == 0 || now - open_->opened >= options_.hold)) {
    batch = std::move(open_);
  }
  if (batch) ++sending_;
  return batch;
}

std::vector<BatchPtr> PublishQueue::finish(const Batch& batch, bool failed) {
  --sending_;
  std::vector<BatchPtr> behind;
  if (batch.ordering_key.empty()) return behind;
  if (failed) {
    stop(batch.ordering_key, behind);
    return behind;
  }
  const auto key = keys_.find(batch.ordering_key);
  if (key == keys_.end()) return behind;
  if (key->second.waiting.empty()) {
    erase(key);
  } else {
    ready_.push_back({nullptr, &*key});
  }
  return behind;
}

void PublishQueue::stop(const std::string& ordering_key, std::vector<BatchPtr>& failed) {
  auto& key = *keys_.try_emplace(ordering_key).first;
  std::erase_if(ready_, [&key](const Ready& r) { return r.key == &key; });
  std::move(key.second.waiting.begin(), key.second.waiting.end(), std::back_inserter(failed));
  mark_stopped(key);
  if (all_keys_stopped_) erase(keys_.find(ordering_key));
}

void PublishQueue::mark_stopped(Keys::value_type& key) {
  key.second.waiting.clear();
  key.second.busy = false;
  if (!std::exchange(key.second.stopped, true) && ++stopped_keys_ > options_.max_stopped_keys)
    all_keys_stopped_ = true;
}

void PublishQueue::erase(Keys::iterator key) {
  if (key->second.stopped) --stopped_keys_;
  keys_.erase(key);
}

void PublishQueue::retry(BatchPtr batch, Clock::time_point due) {
  --sending_;
  retries_.push_back({std::move(batch), due});
}

void PublishQueue::requeue(BatchPtr first, BatchPtr rest) {
  --sending_;
  if (first->ordering_key.empty()) {
    ready_.push_front({std::move(rest), nullptr});
    ready_.push_front({std::move(first), nullptr});
    return;
  }
  auto& key = *keys_.try_emplace(first->ordering_key).first;
  key.second.waiting.push_front(std::move(rest));
  key.second.waiting.push_front(std::move(first));
  ready_.push_front({nullptr, &key});
}

void PublishQueue::hasten(Clock::time_point now) {
  for (Retry& r : retries_) r.due = std::min(r.due, now);
}

std::vector<BatchPtr> PublishQueue::expire(Clock::time_point now) {
  std::vector<BatchPtr> expired;
  const auto late = [now](const BatchPtr& batch) { return batch && batch->deadline <= now; };
  std::vector<std::string> stopped;
  if (late(open_)) expired.push_back(std::move(open_));
  // What waits behind a request of its key under way is left to the end of that request, which has the same
  // deadline.
  for (Ready& r : ready_) {
    if (late(r.batch)) expired.push_back(std::move(r.batch));
    if (r.key != nullptr && late(r.key->second.waiting.front())) stopped.push_back(r.key->first);
  }
  std::erase_if(ready_, [](const Ready& r) { return !r.batch && r.key == nullptr; });
  for (Retry& r : retries_) {
    if (!late(r.batch)) continue;
    if (!r.batch->ordering_key.empty()) stopped.push_back(r.batch->ordering_key);
    expired.push_back(std::move(r.batch));
  }
  std::erase_if(retries_, [](const Retry& r) { return !r.batch; });
  for (const std::string& name : stopped) stop(name, expired);
  return expired;
}

std::vector<BatchPtr> PublishQueue::clear() {
  std::vector<BatchPtr> all;
  if (open_) all.push_back(std::move(open_));
  for (Ready& r : ready_)
    if (r.batch) all.push_back(std::move(r.batch));
  for (Retry& r : retries_) all.push_back(std::move(r.batch));
  for (auto& key : keys_) {
    std::move(key.second.waiting.begin(), key.second.waiting.end(), std::back_inserter(all));
    mark_stopped(key);
  }
  ready_.clear();
  retries_.clear();
  while (stopped_keys_ > options_.max_stopped_keys) erase(keys_.begin());
  return all;
}

void PublishQueue::resume(std::string_view ordering_key) {
  const auto key = keys_.find(std::string(ordering_key));
  if (key != keys_.end() && key->second.stopped) erase(key);
}

void PublishQueue::resume_all() {
  std::erase_if(keys_, [](const auto& key) { return key.second.stopped; });
  stopped_keys_ = 0;
  all_keys_stopped_ = false;
}

std::uint64_t PublishQueue::begin_epoch() {
  if (queued_in_epoch_ != 0) unresolved_.emplace(epoch_, std::exchange(queued_in_epoch_, 0));
  return epoch_++;
}

std::size_t PublishQueue::unresolved(std::uint64_t epoch) const noexcept {
  std::size_t count = 0;
  for (auto it = unresolved_.begin(); it != unresolved_.end() && it->first <= epoch; ++it)
    count += it->second;
  return count;
}

void PublishQueue::resolved(std::uint64_t epoch, std::size_t messages, std::size_t bytes) {
  messages_ -= messages;
  bytes_ -= bytes;
  if (epoch == epoch_) {
    queued_in_epoch_ -= messages;
    return;
  }
  const auto counted = unresolved_.find(epoch);
  counted->second -= messages;
  if (counted->second == 0) unresolved_.erase(counted);
}

}  // namespace cfd::pubsub
