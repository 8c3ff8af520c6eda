#pragma once

/// \file
/// What is to be sent, in which requests and in which order. No I/O and no lock: the publisher owns both.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pubsub/batch.hpp"

namespace cfd::pubsub {

struct QueueOptions {
  std::string topic;
  std::chrono::milliseconds publish_timeout{60'000};
  /// A batch of this many bytes is sent without waiting for more: larger ones leave the processor's cache and
  /// gain nothing, see docs/performance.md.
  std::size_t full_bytes = 256U << 10U;
  std::size_t full_messages = max_request_messages;
  /// Requests under way at once: enough to keep a connection with a long way to go busy, few enough to fill
  /// batches.
  std::size_t max_in_flight = 16;
  /// How long a call is held back for company, while other requests are under way.
  std::chrono::milliseconds hold{5};
  /// Stopped ordering keys that are remembered. With more, calls with any ordering key are refused: to forget
  /// one would break its order.
  std::size_t max_stopped_keys = 100'000;
};

/// Batches of calls. An idle queue gives out what it gets at once; while requests are under way it fills
/// batches. Messages of one ordering key are in one request at a time, and a failure stops the key until
/// resume().
class PublishQueue {
 public:
  explicit PublishQueue(QueueOptions options) : options_(std::move(options)) {}

  /// Queues a message; false, with `call` untouched, where its ordering key is
  /// stopped.
  bool add(const transport::Outgoing& message, EncodedSize size, detail::CallStatePtr& call,
           Clock::time_point now);

  /// The next batch to send, which then counts as under way; null where there is none or too many are under
  /// way.
  BatchPtr next(Clock::time_point now);

  /// `batch`, under way, has ended for good. With `failed`, stops its ordering key, if it has one, and
  /// returns what is queued behind it, to be failed as well.
  std::vector<BatchPtr> finish(const Batch& batch, bool failed);

  /// `batch`, under way, is to be sent again at `due`; it goes on counting as under way.
  void retry(BatchPtr batch, Clock::time_point due);

  /// `batch`, under way, goes back to the head of the queue in two parts.
  void requeue(BatchPtr first, BatchPtr rest);

  /// Makes every retry due: the service is back.
  void hasten(Clock::time_point now);

  /// What has passed its deadline without being under way, ordering keys stopped as by finish().
  std::vector<BatchPtr> expire(Clock::time_point now);

  /// Everything that is not under way, retries included.
  std::vector<BatchPtr> clear();

  /// Lets messages of a stopped ordering key through again.
  void resume(std::string_view ordering_key);

  /// As resume(), for every key.
  void resume_all();

  /// Whether so many ordering keys have failed that every one is stopped until resume_all().
  bool all_keys_stopped() const noexcept { return all_keys_stopped_; }

  bool retrying() const noexcept { return !retries_.empty(); }

  /// What to wait for so that every message queued so far is resolved; see unresolved().
  std::uint64_t begin_epoch();

  /// Messages queued up to the end of `epoch` that are not resolved yet.
  std::size_t unresolved(std::uint64_t epoch) const noexcept;

  /// The messages of `batch` are confirmed or failed, and their handles know it.
  void resolved(std::uint64_t epoch, std::size_t messages, std::size_t bytes);

  std::size_t messages() const noexcept { return messages_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  /// An ordering key with something queued, under way or stopped.
  struct Key {
    std::deque<BatchPtr> waiting;
    bool busy = false;  ///< under way, or listed in ready_
    bool stopped = false;
  };
  using Keys = std::unordered_map<std::string, Key>;

  /// A full batch, or the ordering key whose first batch is next: that batch still grows while it waits.
  struct Ready {
    BatchPtr batch;
    Keys::value_type* key = nullptr;
  };

  struct Retry {
    BatchPtr batch;
    Clock::time_point due;
  };

  void add_to_key(const transport::Outgoing& message, EncodedSize size, detail::CallStatePtr& call,
                  Keys::value_type& key, Clock::time_point now);
  BatchPtr open(std::string_view ordering_key, Clock::time_point now);
  bool takes(const Batch* batch, std::size_t size, Clock::time_point now) const noexcept;
  bool full(const Batch& batch) const noexcept;
  void stop(const std::string& ordering_key, std::vector<BatchPtr>& failed);
  void mark_stopped(Keys::value_type& key);
  void erase(Keys::iterator key);

  const QueueOptions options_;
  BatchPtr open_;  ///< without ordering key
  std::deque<Ready> ready_;
  std::vector<Retry> retries_;
  Keys keys_;
  std::size_t stopped_keys_ = 0;  ///< of keys_
  bool all_keys_stopped_ = false;
  std::size_t sending_ = 0;
  std::uint64_t epoch_ = 1;
  std::size_t queued_in_epoch_ = 0;                  ///< messages of this epoch that are not resolved
  std::map<std::uint64_t, std::size_t> unresolved_;  ///< and of former ones
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace cfd::pubsub
