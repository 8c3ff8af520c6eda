#include "emulator/backlog.hpp"

#include <algorithm>
#include <utility>

#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

/// What of a queue stays in memory, in bytes of messages, where they can be brought back.
constexpr std::size_t max_held_bytes = 32U << 20U;
/// Ranges beyond this many are packed.
constexpr std::size_t max_ranges = 4096;
/// So many are unpacked at once.
constexpr std::size_t refill_ranges = 1024;
/// Packed ranges lie in blocks of this size, freed one by one as they are read.
constexpr std::size_t block_bytes = 64U << 10U;
/// Four varints of at most ten bytes.
constexpr std::size_t max_packed_range = 40;

/// Small numbers of either sign as small numbers without one.
std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

std::uint64_t read_varint(const char*& at) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) return value;
  }
}

bool before(const Range& a, const Range& b) noexcept {
  return std::pair(a.first_id, a.next) < std::pair(b.first_id, b.next);
}

}  // namespace

Range range_of(const MessageRef& message) {
  return {message.batch, message.batch->id(0), message.batch->publish_time(), message.index,
          message.index + 1};
}

Range range_of(const BatchPtr& batch) {
  return {batch, batch->id(0), batch->publish_time(), 0, static_cast<std::uint32_t>(batch->size())};
}

void append_message(std::vector<Range>& ranges, const MessageRef& message) {
  if (!ranges.empty() && ranges.back().first_id == message.batch->id(0) && ranges.back().end == message.index)
    ++ranges.back().end;
  else
    ranges.push_back(range_of(message));
}

void normalize(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(), before);
  std::vector<Range> merged;
  for (auto& range : ranges) {
    if (!merged.empty() && merged.back().first_id == range.first_id && range.next <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
      if (merged.back().batch == nullptr) merged.back().batch = std::move(range.batch);
    } else {
      merged.push_back(std::move(range));
    }
  }
  ranges = std::move(merged);
}

std::vector<Range> subtract(const std::vector<Range>& ranges, const std::vector<Range>& without) {
  std::vector<Range> left;
  auto other = without.begin();
  for (Range range : ranges) {
    while (other != without.end() && other->first_id < range.first_id) ++other;
    for (auto cut = other; cut != without.end() && cut->first_id == range.first_id; ++cut) {
      if (cut->end <= range.next || cut->next >= range.end) continue;
      if (cut->next > range.next) {
        left.push_back(range);
        left.back().end = cut->next;
      }
      range.next = std::min(cut->end, range.end);
    }
    if (range.next < range.end) left.push_back(std::move(range));
  }
  return left;
}

void Backlog::push(Range range) {
  size_ += range.size();
  if (tail_.empty() && !ranges_.empty() && ranges_.back().first_id == range.first_id &&
      ranges_.back().end == range.next) {
    ranges_.back().end = range.end;
    return;
  }
  // What follows packed ranges must stand behind them.
  if (!tail_.empty() || (reloadable_ && ranges_.size() >= max_ranges)) return pack(range);
  if (reloadable_ && held_bytes_ >= max_held_bytes) range.batch = nullptr;
  if (range.batch != nullptr) held_bytes_ += range.batch->bytes().size();
  ranges_.push_back(std::move(range));
}

void Backlog::load_front(BatchPtr batch) {
  held_bytes_ += batch->bytes().size();
  ranges_.front().batch = std::move(batch);
}

MessageRef Backlog::pop_message() {
  Range& front = ranges_.front();
  MessageRef message{front.batch, front.next};
  ++front.next;
  --size_;
  if (front.next == front.end) pop_range();
  return message;
}

void Backlog::pop_range() {
  const Range& front = ranges_.front();
  size_ -= front.size();
  if (front.batch != nullptr) held_bytes_ -= front.batch->bytes().size();
  ranges_.pop_front();
  if (ranges_.empty()) refill();
}

std::vector<Range> Backlog::ranges() const {
  std::vector<Range> all(ranges_.begin(), ranges_.end());
  Reference reference = read_;
  for (const auto& block : tail_) {
    const char* at = block.data() + (&block == &tail_.front() ? tail_read_ : 0);
    while (at < block.data() + block.size()) all.push_back(unpack(at, reference));
  }
  return all;
}

void Backlog::clear() {
  *this = Backlog(reloadable_);
}

std::size_t Backlog::packed_bytes() const noexcept {
  return tail_.size() * block_bytes;
}

void Backlog::pack(const Range& range) {
  if (tail_.empty() || tail_.back().size() + max_packed_range > block_bytes) {
    tail_.emplace_back();
    tail_.back().reserve(block_bytes);
  }
  const auto time = range.publish_time.time_since_epoch().count();
  char buffer[max_packed_range];
  char* end = wire::put_varint(buffer, zigzag(static_cast<std::int64_t>(range.first_id - written_.first_id)));
  end = wire::put_varint(end, zigzag(time - written_.publish_time));
  end = wire::put_varint(end, range.next);
  end = wire::put_varint(end, range.size());
  tail_.back().append(buffer, static_cast<std::size_t>(end - buffer));
  written_ = {range.first_id, time};
}

Range Backlog::unpack(const char*& at, Reference& reference) {
  reference.first_id += static_cast<std::uint64_t>(unzigzag(read_varint(at)));
  reference.publish_time += unzigzag(read_varint(at));
  const auto next = static_cast<std::uint32_t>(read_varint(at));
  const auto size = static_cast<std::uint32_t>(read_varint(at));
  return {nullptr, reference.first_id, Time{Duration{reference.publish_time}}, next, next + size};
}

void Backlog::refill() {
  while (!tail_.empty() && ranges_.size() < refill_ranges) {
    const auto& block = tail_.front();
    const char* at = block.data() + tail_read_;
    ranges_.push_back(unpack(at, read_));
    tail_read_ = static_cast<std::size_t>(at - block.data());
    if (tail_read_ < block.size()) continue;
    tail_.pop_front();
    tail_read_ = 0;
  }
}

}  // namespace cfd::emulator
