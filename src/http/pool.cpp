#include "http/pool.hpp"

#include <utility>

#include "metrics/metrics.hpp"

namespace cfd::http {

void Pool::start(const std::shared_ptr<void>& keep_alive) {
  workers_.reserve(threads_);
  for (std::size_t i = 0; i < threads_; ++i) workers_.emplace_back([this, keep_alive] { work(); });
}

bool Pool::submit(std::shared_ptr<Task> task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || running_ + waiting_.size() >= most_) return false;
    waiting_.push_back(std::move(task));
    metrics::numbers().queued.fetch_add(1, std::memory_order_relaxed);
    wake = should_wake();
  }
  if (wake) changed_.notify_one();
  return true;
}

std::deque<std::shared_ptr<Task>> Pool::close() {
  std::deque<std::shared_ptr<Task>> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(waiting_);
  }
  metrics::numbers().queued.fetch_sub(static_cast<std::int64_t>(left.size()), std::memory_order_relaxed);
  changed_.notify_all();
  return left;
}

void Pool::join() {
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void Pool::detach() {
  for (std::thread& worker : workers_) worker.detach();
  workers_.clear();
}

// A burst of short functions is mostly done by the first thread that wakes, and waking all of them costs more
// than it brings.
bool Pool::should_wake() {
  if (waking_ || sleeping_ == 0 || waiting_.empty()) return false;
  return waking_ = true;
}

void Pool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (waiting_.empty() && !closed_) {
      ++sleeping_;
      changed_.wait(lock);
      --sleeping_;
      waking_ = false;  // also where another thread was faster, or nobody could wake any more
    }
    if (waiting_.empty()) return;
    const std::shared_ptr<Task> task = std::move(waiting_.front());
    waiting_.pop_front();
    metrics::numbers().queued.fetch_sub(1, std::memory_order_relaxed);
    ++running_;
    const bool wake = should_wake();
    lock.unlock();
    if (wake) changed_.notify_one();
    task->run();
    lock.lock();
    --running_;
  }
}

}  // namespace cfd::http
