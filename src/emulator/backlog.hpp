#pragma once

/// \file
/// Runs of messages, and a queue of them that stays small in memory where the messages are kept on disk.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "emulator/message.hpp"

namespace cfd::emulator {

/// Messages that follow each other in one batch. Without `batch` they are kept elsewhere, by `first_id`.
struct Range {
  BatchPtr batch;
  std::uint64_t first_id = 0;  ///< of the batch
  Time publish_time;
  std::uint32_t next = 0, end = 0;  ///< positions in the batch; `end` is the first that is not part of it

  std::size_t size() const noexcept { return end - next; }
};

Range range_of(const MessageRef& message);
Range range_of(const BatchPtr& batch);

/// Adds a message to the last range where it follows it, else as a range of its own.
void append_message(std::vector<Range>& ranges, const MessageRef& message);

/// Orders ranges by message id, and makes one of those that touch or overlap.
void normalize(std::vector<Range>& ranges);

/// What is in `ranges` and not in `without`; both normalized.
std::vector<Range> subtract(const std::vector<Range>& ranges, const std::vector<Range>& without);

/// First in, first out. Not thread-safe.
class Backlog {
 public:
  /// `reloadable`: batches can be brought back, so that only the first ones are held in memory, and of a long
  /// queue the ranges themselves are packed to a few bytes each.
  explicit Backlog(bool reloadable) : reloadable_(reloadable) {}

  void push(Range range);

  bool empty() const noexcept { return ranges_.empty(); }
  /// How many messages there are.
  std::size_t size() const noexcept { return size_; }

  // All of these want a queue that is not empty.
  const Range& front() const noexcept { return ranges_.front(); }
  /// Gives the first range the batch that it was pushed without.
  void load_front(BatchPtr batch);
  /// Takes the first message of the first range, which has its batch.
  MessageRef pop_message();
  void pop_range();

  /// All of it, in order.
  std::vector<Range> ranges() const;

  void clear();

  /// Bytes of memory for ranges that are packed; for tests.
  std::size_t packed_bytes() const noexcept;

 private:
  /// What the next packed range is written, or read, relative to.
  struct Reference {
    std::uint64_t first_id = 0;
    std::int64_t publish_time = 0;
  };
  void pack(const Range& range);
  static Range unpack(const char*& at, Reference& reference);
  void refill();

  bool reloadable_;
  std::size_t size_ = 0;
  std::size_t held_bytes_ = 0;    // of the batches that ranges_ holds
  std::deque<Range> ranges_;      // the first ones
  std::deque<std::string> tail_;  // those that follow, packed
  std::size_t tail_read_ = 0;     // bytes of the first block that are read
  Reference written_, read_;
};

}  // namespace cfd::emulator
