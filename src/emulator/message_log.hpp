#pragma once

/// \file
/// What happened to the latest messages, for people who look. Bounded, always on, and cheap enough to stay
/// so: a record is two atomic operations and four stores in a ring; no lock, no memory taken.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "emulator/clock.hpp"
#include "emulator/message.hpp"

namespace cfd::emulator {

/// One thing that happens to a message in a subscription.
enum class Step : std::uint8_t {
  delivered,        ///< leased to a consumer
  acknowledged,     ///< done with
  push_refused,     ///< the endpoint it was pushed to did not take it, or did not answer; nacked follows
  nacked,           ///< given back by its consumer
  deadline_passed,  ///< its consumer said nothing in time
  dead_lettered,    ///< moved to the dead-letter topic
  filtered,         ///< held back by the subscription's filter
  expired,          ///< older than the subscription's retention
};

struct StepRecord {
  std::uint64_t message = 0;  ///< id
  Time time;                  ///< to the microsecond
  Step step = Step::delivered;
  std::uint32_t subscription = 0;  ///< uid
  /// delivered: the consumer; push_refused: the HTTP status, or 0 without an answer; failed or dead-lettered:
  /// failures so far
  std::uint32_t detail = 0;
  std::uint64_t order = 0;  ///< among all records
};

/// Where a batch was published; its messages' content, as long as it is held.
struct PublishedBatch {
  std::string topic;
  BatchPtr batch;
};

/// A message that failed too often.
struct DeadLetter {
  std::uint64_t message = 0;  ///< id it had
  std::uint64_t copy = 0;     ///< id it has in the dead-letter topic
  std::string subscription, source_topic, topic;
  std::uint32_t subscription_uid = 0;
  std::uint32_t attempts = 0;
  Time time;
  MessageRef content;  ///< what was published to the dead-letter topic; no batch where that is large
};

/// Thread-safe.
class MessageLog {
 public:
  /// Bounds of what is held.
  static constexpr std::size_t max_records = std::size_t{1} << 15U;   ///< of what goes well
  static constexpr std::size_t max_failures = std::size_t{1} << 13U;  ///< of what does not
  static constexpr std::size_t max_batches = 4'096;
  static constexpr std::size_t max_bytes = std::size_t{4} << 20U;  ///< of the batches
  static constexpr std::size_t max_dead_letters = 1'000;

  void published(const std::string& topic, const BatchPtr& batch);
  void dead_lettered(DeadLetter letter);

  void record(Step step, std::uint32_t subscription, std::uint64_t message, Time now,
              std::uint32_t detail = 0) {
    const bool failure = step == Step::push_refused || step == Step::nacked ||
                         step == Step::deadline_passed || step == Step::dead_lettered;
    // Between the steps around it; times may be equal.
    const auto order = 2 * steps_.turns() + (failure ? 0 : 1);
    (failure ? failures_ : steps_).put({message, now, step, subscription, detail, order});
  }

  /// Each oldest first.
  std::vector<StepRecord> records() const;
  std::vector<PublishedBatch> batches() const;
  std::vector<DeadLetter> dead_letters() const;

 private:
  /// Written by many threads at once and read by one that throws away what was overwritten meanwhile.
  class Ring {
   public:
    explicit Ring(std::size_t size) : mask_(size - 1) {}
    void put(const StepRecord& record) noexcept;
    std::uint64_t turns() const noexcept { return next_.load(std::memory_order_relaxed); }
    void read(std::vector<StepRecord>& records) const;

   private:
    struct Slot {
      std::atomic<std::uint64_t> turn;  ///< which put() filled it, from 1; all ones while one does
      std::atomic<std::uint64_t> message, time_and_step, subscription_and_detail, order;
    };
    Slot* slots() noexcept;

    const std::size_t mask_;
    std::atomic<std::uint64_t> next_{0};
    std::once_flag made_;
    std::unique_ptr<Slot[]> storage_;
    std::atomic<Slot*> slots_{nullptr};
  };

  Ring steps_{max_records};
  Ring failures_{max_failures};
  mutable std::mutex mutex_;  // guards the rest
  std::deque<PublishedBatch> batches_;
  std::size_t bytes_ = 0;
  std::deque<DeadLetter> dead_letters_;
};

}  // namespace cfd::emulator
