#pragma once

/// \file
/// The threads that functions run on.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cfd::http {

/// A piece of work. run() never throws.
class Task {
 public:
  virtual ~Task() = default;
  virtual void run() noexcept = 0;
};

/// A fixed number of threads with a bounded queue. Thread-safe but for start, join and detach, which belong
/// to one thread. The pool must live as long as its threads: whoever detaches them keeps it alive.
class Pool {
 public:
  Pool(std::size_t threads, std::size_t queue) : threads_(threads), most_(threads + queue) {}

  void start(const std::shared_ptr<void>& keep_alive);

  /// Queues `task`, or returns false where as many run and wait as may, or the pool is closed.
  bool submit(std::shared_ptr<Task> task);

  /// Takes no more tasks, and gives back those that no thread has begun.
  std::deque<std::shared_ptr<Task>> close();

  /// Waits for the threads to end, after close().
  void join();

  /// Leaves threads that do not end to themselves.
  void detach();

 private:
  void work();
  bool should_wake();

  const std::size_t threads_;
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Task>> waiting_;
  std::size_t running_ = 0;
  std::size_t sleeping_ = 0;
  bool waking_ = false;  // one thread is on its way: it wakes the next if there is more than it can take
  bool closed_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace cfd::http
