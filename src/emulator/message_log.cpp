#include "emulator/message_log.hpp"

#include <algorithm>
#include <utility>

namespace cfd::emulator {

namespace {

constexpr std::uint64_t busy = ~std::uint64_t{0};
constexpr unsigned step_bits = 8;  // microseconds since 1970 fit what is left until the year 4000

std::uint64_t microseconds(Time time) noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}

}  // namespace

// Memory for records is taken with the first one: a server that only waits needs none.
MessageLog::Ring::Slot* MessageLog::Ring::slots() noexcept {
  if (auto* const made = slots_.load(std::memory_order_acquire)) return made;
  std::call_once(made_, [this] {
    storage_ = std::make_unique<Slot[]>(mask_ + 1);
    slots_.store(storage_.get(), std::memory_order_release);
  });
  return storage_.get();
}

// A reader that sees any new field also sees that the turn was taken back before, so that it never takes two
// halves for a whole. A writer that was held up for a whole lap keeps its slot; what would have been written
// there is lost.
void MessageLog::Ring::put(const StepRecord& record) noexcept {
  const auto turn = next_.fetch_add(1, std::memory_order_relaxed);
  Slot& slot = slots()[turn & mask_];
  if (slot.turn.exchange(busy, std::memory_order_acquire) == busy) return;
  slot.message.store(record.message, std::memory_order_release);
  slot.time_and_step.store(microseconds(record.time) << step_bits | static_cast<std::uint64_t>(record.step),
                           std::memory_order_release);
  slot.subscription_and_detail.store(std::uint64_t{record.subscription} << 32U | record.detail,
                                     std::memory_order_release);
  slot.order.store(record.order, std::memory_order_release);
  slot.turn.store(turn + 1, std::memory_order_release);
}

void MessageLog::Ring::read(std::vector<StepRecord>& records) const {
  const Slot* const slots = slots_.load(std::memory_order_acquire);
  if (slots == nullptr) return;
  const auto end = next_.load(std::memory_order_acquire);
  for (auto turn = end - std::min<std::uint64_t>(end, mask_ + 1); turn < end; ++turn) {
    const Slot& slot = slots[turn & mask_];
    if (slot.turn.load(std::memory_order_acquire) != turn + 1) continue;
    const auto message = slot.message.load(std::memory_order_acquire);
    const auto time_and_step = slot.time_and_step.load(std::memory_order_acquire);
    const auto who = slot.subscription_and_detail.load(std::memory_order_acquire);
    const auto order = slot.order.load(std::memory_order_acquire);
    if (slot.turn.load(std::memory_order_relaxed) != turn + 1) continue;
    records.push_back({message,
                       Time{std::chrono::duration_cast<Duration>(
                           std::chrono::microseconds{static_cast<std::int64_t>(time_and_step >> step_bits)})},
                       static_cast<Step>(time_and_step & 0xFFU), static_cast<std::uint32_t>(who >> 32U),
                       static_cast<std::uint32_t>(who), order});
  }
}

void MessageLog::published(const std::string& topic, const BatchPtr& batch) {
  const auto size = batch->bytes().size();
  if (size > max_bytes) return;
  std::vector<PublishedBatch> gone;  // freed once the lock is released
  const std::lock_guard lock(mutex_);
  batches_.push_back({topic, batch});
  bytes_ += size;
  while (batches_.size() > max_batches || bytes_ > max_bytes) {
    bytes_ -= batches_.front().batch->bytes().size();
    gone.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
}

void MessageLog::dead_lettered(DeadLetter letter) {
  constexpr std::size_t largest = max_bytes / max_dead_letters;
  record(Step::dead_lettered, letter.subscription_uid, letter.message, letter.time, letter.attempts);
  if (letter.content.wire().size() > largest) letter.content = {};
  const std::lock_guard lock(mutex_);
  dead_letters_.push_back(std::move(letter));
  if (dead_letters_.size() > max_dead_letters) dead_letters_.pop_front();
}

std::vector<StepRecord> MessageLog::records() const {
  std::vector<StepRecord> records;
  steps_.read(records);
  failures_.read(records);
  std::ranges::stable_sort(records, {}, &StepRecord::order);
  return records;
}

std::vector<PublishedBatch> MessageLog::batches() const {
  const std::lock_guard lock(mutex_);
  return {batches_.begin(), batches_.end()};
}

std::vector<DeadLetter> MessageLog::dead_letters() const {
  const std::lock_guard lock(mutex_);
  return {dead_letters_.begin(), dead_letters_.end()};
}

}  // namespace cfd::emulator
