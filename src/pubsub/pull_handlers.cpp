// The threads of a PullEngine that run handlers.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <cfd/log.hpp>

#include "log/clock.hpp"
#include "pubsub/pull_engine.hpp"

namespace cfd::pubsub {

namespace {

/// What becomes of a handler's message while the handler runs.
class Held final : public transport::Lease {
 public:
  Held(std::mutex& mutex, const Work& work) : mutex_(mutex), work_(work) {}

  void let_go() noexcept override {
    const std::lock_guard lock(mutex_);
    Deliveries::let_go(work_);
  }

 private:
  std::mutex& mutex_;  // of the deliveries
  const Work& work_;
};

/// The year 2200: times beyond do not fit the clock, and come from no server that means well.
constexpr std::int64_t last_second = 7'258'118'400;

/// RFC 3339 with milliseconds, as push deliveries have it.
log::Timestamp publish_time(const Delivery& delivery) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  const auto since_epoch = seconds(std::clamp<std::int64_t>(delivery.published_seconds, 0, last_second)) +
                           nanoseconds(std::clamp(delivery.published_nanos, 0, 999'999'999));
  return log::Timestamp(std::chrono::system_clock::time_point(since_epoch));
}

}  // namespace

void PullEngine::handle_messages() {
  // One for all messages of this thread, until it is fired: that costs the messages nothing.
  std::stop_source stop;
  const auto fire = [&stop] { stop.request_stop(); };
  std::optional<std::stop_callback<decltype(fire)>> at_the_end(std::in_place, stop_, fire);
  bool lost = false;
  while (true) {
    Work work;
    // Renewed even where it has not fired yet: that comes late, and must not stop the next function.
    if (lost) {
      at_the_end.reset();
      stop = std::stop_source();
      at_the_end.emplace(stop_, fire);
    }
    {
      std::unique_lock lock(mutex_);
      if (!wait_for_work(lock)) return;
      work = deliveries_.take(&stop);
      wake_handler();
    }
    const Delivery& d = *work.delivery;
    const log::Timestamp published = publish_time(d);
    Held lease(mutex_, work);
    cfd::Event event;
    event.id = d.message_id;
    if (d.published_seconds != 0) event.publish_time = published.text();
    event.subscription = config_.subscription;
    event.ordering_key = d.ordering_key;
    event.data = d.data;
    event.attributes =
        std::span<const Attribute>(work.response->attributes).subspan(d.first_attribute, d.attribute_count);
    event.delivery_attempt = d.attempt;
    lost = finish(work, handler_(event, stop.get_token(), lease));
  }
}

bool PullEngine::wait_for_work(std::unique_lock<std::mutex>& lock) {
  while (!deliveries_.has_work()) {
    if (finished_) return false;
    ++idle_;
    work_.wait(lock);
    --idle_;
    waking_ = false;
  }
  return true;
}

/// One at a time, and that one wakes the next while there is work: functions that take no time are run by
/// those that are awake, and those that take long soon have a thread each.
void PullEngine::wake_handler() {
  if (idle_ == 0 || waking_ || !deliveries_.has_work()) return;
  waking_ = true;
  work_.notify_one();
}

/// Returns whether the message's lease had ended.
bool PullEngine::finish(const Work& work, const transport::Disposition& disposition) {
  std::unique_lock lock(mutex_);
  const bool lost = work.delivery->lost;
  deliveries_.finish(work, disposition);
  // A subscriber that has run out of messages acknowledges at once, a busy one in batches.
  if (deliveries_.acks().count() >= full_ack_batch || deliveries_.held() == 0) write(lock);
  return lost;
}

void PullEngine::stop_lost_functions() {
  std::vector<std::stop_source> lost;
  {
    const std::lock_guard lock(mutex_);
    lost = deliveries_.take_lost();
  }
  if (lost.empty()) return;
  log::warning("the leases of {} running function(s) have ended: they are asked to stop", lost.size());
  for (std::stop_source& function : lost) function.request_stop();
}

}  // namespace cfd::pubsub
