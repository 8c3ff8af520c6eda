#pragma once

/// \file
/// The queue of one subscription: what is still to be delivered, what is out with consumers, what comes back.
/// Knows no names, no protobuf and no network. Thread-safe.

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "emulator/backlog.hpp"
#include "emulator/clock.hpp"
#include "emulator/filter.hpp"
#include "emulator/leases.hpp"
#include "emulator/message.hpp"
#include "emulator/message_log.hpp"
#include "emulator/ordering.hpp"

namespace cfd::emulator {

/// How a queue behaves; what of a Subscription resource concerns it.
struct QueueSettings {
  Duration ack_deadline = std::chrono::seconds{10};
  bool ordered = false;
  bool exactly_once = false;
  bool retain_acked = false;
  Duration retention = std::chrono::hours{24 * 7};
  Filter filter = {};
  std::optional<std::pair<Duration, Duration>> backoff = {};  ///< minimum and maximum; none: at once
  std::uint32_t max_attempts = 0;                             ///< 0: no dead-letter policy
};

/// Who takes messages from a queue: a stream, a pull, a push dispatcher.
struct Consumer {
  /// Called, with no lock held, when there may be something to take after a take() that found nothing.
  std::function<void()> wake;
  std::int64_t max_messages = std::numeric_limits<std::int64_t>::max();  ///< out with this consumer at once
  std::int64_t max_bytes = std::numeric_limits<std::int64_t>::max();

  /// Takes a message only when no other of its ordering key is out: for those who do not keep order
  /// themselves.
  bool one_per_key = false;

  // The queue's own, under its lock.
  std::uint32_t id = 0;
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  bool hungry = false;
};
using ConsumerPtr = std::shared_ptr<Consumer>;

/// A message on its way to a consumer.
struct Delivery {
  MessageRef message;
  AckToken token;
  std::uint32_t attempt = 0;  ///< 1 for the first; 0 without a dead-letter policy
};

/// What a queue tells its owner. Called with no lock of the queue held.
struct QueueHooks {
  /// Takes over a message that failed `attempts` times. False: not possible now, it stays.
  std::function<bool(const MessageRef&, std::uint32_t attempts)> dead_letter;
  /// on_timer() is to be called at this time.
  std::function<void(Time)> schedule;
  /// These messages are done with.
  std::function<void(const std::vector<Range>&)> acknowledged;
  /// These, which were done with, are to be delivered again.
  std::function<void(const std::vector<Range>&)> revived;
  /// The delivery of these has failed so often.
  std::function<void(const std::vector<Entry>&)> failed;
  /// What was acknowledged and published before this time is not kept for a seek any longer.
  std::function<void(Time)> forgotten;
  /// Brings back a batch that is kept elsewhere; null where it is gone. Where this is set, a long backlog is
  /// not held in memory. Called with the queue's lock held.
  std::function<BatchPtr(std::uint64_t first_id)> load;
  /// Where to write down what happens to messages; null: nowhere. Must outlive the queue.
  MessageLog* log = nullptr;
};

struct QueueStats {
  std::size_t backlog = 0;      ///< not acknowledged, including those out
  std::size_t outstanding = 0;  ///< out with consumers
  std::optional<Time> oldest;   ///< publish time of the oldest one not acknowledged
  std::uint64_t delivered = 0, acknowledged = 0, failed = 0, dead_lettered = 0;  ///< since the start
};

class Subscription {
 public:
  Subscription(std::uint32_t uid, QueueSettings settings, const Clock& clock, QueueHooks hooks);

  std::uint32_t uid() const noexcept { return uid_; }
  QueueSettings settings() const;
  void change(QueueSettings settings);

  /// Appends what passes the filter of a batch.
  void publish(const BatchPtr& batch);

  /// Takes over what a queue before this one left, in order: ranges that load() can bring back. `attempts`
  /// says how often the delivery of a message has failed, where it has.
  struct Remains {
    std::vector<Range> open;
    std::vector<Range> acknowledged;  ///< kept for a seek
    std::unordered_map<std::uint64_t, std::uint32_t> attempts;
  };
  void restore(Remains remains);

  ConsumerPtr add_consumer(std::function<void()> wake, std::int64_t max_messages, std::int64_t max_bytes);
  /// What is out with the consumer stays out until its deadline.
  void remove_consumer(const ConsumerPtr& consumer);

  /// Takes up to `max_messages`, and no more once `max_bytes` are reached, within the consumer's limits; each
  /// is leased for `deadline`. After an empty result the consumer's wake() is called once there may be more.
  std::vector<Delivery> take(const ConsumerPtr& consumer, std::size_t max_messages, std::size_t max_bytes,
                             Duration deadline);

  /// True for each token whose lease was held and has now ended for good.
  std::vector<bool> acknowledge(std::span<const AckToken> tokens);

  /// Moves deadlines to `deadline` from now; zero gives messages back. True for each lease that was held.
  std::vector<bool> modify_deadline(std::span<const AckToken> tokens, std::span<const Duration> deadlines);

  /// Does what is due: ends leases, brings back what waited, drops what is too old.
  void on_timer();

  /// The messages not acknowledged, oldest first. `seen` is called before any other can change them.
  std::vector<Range> unacknowledged(const std::function<void()>& seen = {}) const;

  /// Starts anew with exactly these messages, as if never delivered; leases end.
  void reset(std::vector<Range> messages);

  /// Makes everything published before `time` acknowledged and everything after it, as far as it is still
  /// there or among `retained`, not.
  void seek(Time time, std::vector<Range> retained);

  QueueStats stats() const;

  /// When somebody last took or acknowledged; now, while there is a consumer.
  Time idle_since() const;

  /// Ends the queue: nothing is taken any more, and every consumer is woken to see closed().
  void close(Status reason);
  /// For people who look: a push of this message was answered with `status`, which is no success; 0: not at
  /// all.
  void note_refused_push(std::uint64_t message, int status) const;

  /// Why the queue has ended; OK while it has not.
  Status closed() const;

 private:
  /// What is to be done once the lock is released.
  struct Effects {
    std::vector<ConsumerPtr> wake;
    std::vector<Entry> dead;
    std::vector<Entry> failed;
    std::vector<Range> acknowledged;
    std::vector<Range> revived;
    std::optional<Time> forgotten;
    std::optional<Time> timer;
  };

  void apply(Effects effects);
  void finish(Effects& effects);
  void arm_timer(Effects& effects);
  void bury(std::vector<Entry> dead, std::vector<Range>& acknowledged);
  bool load_front();
  std::optional<Entry> next_entry(std::uint32_t key_holder);
  std::optional<Entry> next_fresh(std::uint32_t key_holder);
  Delivery lease(Entry entry, Consumer& consumer, Time deadline);
  Lease end_lease(const AckToken& token);
  void give_back(const AckToken& token, Step why, Time now, Effects& effects);
  void note(Step step, const std::vector<Range>& ranges, Time now) const;
  void retry(Entry entry, Effects& effects);
  void settle(const Range& range, Effects& effects);
  Duration backoff(std::uint32_t attempts) const;
  bool too_old(Time published, Time now) const { return published + settings_.retention <= now; }
  void drop_old(Time now, Effects& effects);
  std::optional<Time> next_event() const;
  std::vector<Range> collect() const;
  std::vector<Range> restart(const std::vector<Range>& messages);
  std::size_t ready_count() const noexcept { return backlog_.size() + ready_.size() + keys_.ready_size(); }

  const std::uint32_t uid_;
  const Clock& clock_;
  const QueueHooks hooks_;

  mutable std::mutex mutex_;
  QueueSettings settings_;
  Backlog backlog_;                     // never delivered, in order of publication
  std::deque<Entry> ready_;             // to be delivered again, now
  std::multimap<Time, Entry> delayed_;  // to be delivered again, later
  KeyQueues keys_;                      // messages that wait for an earlier one of their ordering key
  Leases leases_;
  std::map<std::uint32_t, ConsumerPtr> consumers_;
  std::uint32_t last_consumer_ = 0;
  Time last_used_;
  std::uint32_t turn_ = 0;     // the consumer woken last, so that each has its turn
  Backlog acked_;              // kept for a seek back
  std::optional<Time> armed_;  // when on_timer() is to come
  std::unordered_map<std::uint64_t, std::uint32_t>
      attempts_;  // of messages in backlog_ that failed before a restart
  QueueStats counters_;
  Status closed_;
};

}  // namespace cfd::emulator
