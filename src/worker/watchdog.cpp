#include "worker/watchdog.hpp"

namespace cfd::worker {

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Watchdog::Watch::Watch(Watchdog& dog, std::chrono::milliseconds timeout) : dog_(dog) {
  const std::lock_guard lock(dog_.mutex_);
  place_ = dog_.watched_.emplace(Clock::now() + timeout, this);
  if (place_ == dog_.watched_.begin()) dog_.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(dog_.mutex_);
  dog_.watched_.erase(place_);
}

// What is over is told without the lock, because a callback may do anything; its entry waits, far in the
// future, for the function to return.
void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (watched_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = watched_.begin();
    // A copy: the entry may go while the lock is released, and the wait looks at its time again.
    const Clock::time_point due = first->first;
    if (due > Clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    auto node = watched_.extract(first);
    Watch& watch = *node.mapped();
    std::stop_source over = watch.source_;
    node.key() = Clock::time_point::max();
    watch.place_ = watched_.insert(std::move(node));
    lock.unlock();
    over.request_stop();
    lock.lock();
  }
}

}  // namespace cfd::worker
