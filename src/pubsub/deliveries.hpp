#pragma once

/// \file
/// The messages that a subscriber holds: which may run, which wait for another of their ordering key, which
/// leases are to be extended, and what is to be acknowledged. No I/O and no lock: the subscriber owns both.

#include <chrono>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pubsub/pull_protocol.hpp"

namespace cfd::pubsub {

/// A message and what keeps its bytes alive.
struct Work {
  std::shared_ptr<PullResponse> response;
  Delivery* delivery = nullptr;
};

class Deliveries {
 public:
  /// `ack_deadline` is the stream's: leases are extended by so much each time.
  explicit Deliveries(std::chrono::seconds ack_deadline) : ack_deadline_(ack_deadline) {}

  /// Takes in the messages and the confirmations of a response. Returns warnings, one line each.
  std::vector<std::string> accept(const std::shared_ptr<PullResponse>& response, Clock::time_point now);

  bool has_work() const noexcept { return !ready_.empty(); }
  /// `stop`, which must live until finish() or be null, is of take_lost() where the message's lease ends
  /// before.
  Work take(std::stop_source* stop = nullptr);

  /// The handler is through with `work`; what it says counts only while the message's lease lasts. A message
  /// that is given back takes with it what waits behind it under its ordering key: Pub/Sub delivers those
  /// again, too, after it.
  void finish(const Work& work, transport::Disposition disposition);

  /// See transport::Lease; nothing where the handler has ended.
  static void let_go(const Work& work) noexcept { work.delivery->let_go = true; }

  /// Gives back everything that is not running, and from now on everything that arrives.
  void stop();

  /// The functions to stop, because the leases of their messages have ended: another worker may run them. To
  /// be fired without holding a lock, for what the functions registered runs then.
  std::vector<std::stop_source> take_lost() { return std::exchange(lost_, {}); }

  /// Where no stream is open, nothing can be extended: leases that have run out by now are lost.
  void expire(Clock::time_point now);

  /// Extends the leases that are due, but for those let go, which end: the first time a second after arrival, so that a message that is
  /// handled at once costs nothing, then whenever half of the lease is over.
  void extend(Clock::time_point now);

  /// What was sent on a stream that has ended may be lost: under exactly-once delivery it is sent again, and
  /// messages whose lease was not confirmed are forgotten, for they come again.
  void stream_ended();

  /// `piece` goes out now; under exactly-once delivery its acknowledgements await confirmation.
  void sent(const AckQueue::Piece& piece, Clock::time_point now);

  AckQueue& acks() noexcept { return acks_; }
  std::size_t held() const noexcept { return held_; }
  std::size_t runnable() const noexcept { return held_ - unconfirmed_leases_.size(); }
  std::size_t held_bytes() const noexcept { return held_bytes_; }
  std::size_t running() const noexcept { return running_; }
  std::size_t unconfirmed_acks() const noexcept { return unconfirmed_acks_.size(); }

 private:
  void lose(Delivery& delivery);
  void make_ready(const Work& work);
  void release(const Work& work);
  void give_back(const Work& work, std::chrono::seconds deadline = std::chrono::seconds(0));
  void confirm_leases(const Confirmation& confirmation, std::vector<std::string>& warnings);
  void confirm_acks(const Confirmation& confirmation, std::vector<std::string>& warnings);

  const std::chrono::seconds ack_deadline_;
  std::deque<Work> ready_;
  std::unordered_map<std::string, std::deque<Work>> keys_;  ///< running or ready, and what waits behind
  std::list<std::shared_ptr<PullResponse>> responses_;      ///< those with something held
  std::unordered_map<std::string, Work> unconfirmed_leases_;
  std::unordered_map<std::string, Clock::time_point> unconfirmed_acks_;  ///< and when they were sent
  std::vector<std::stop_source> lost_;
  AckQueue acks_;
  bool stopping_ = false;
  bool exactly_once_ = false;
  bool ordered_ = true;  ///< until the service says otherwise; some servers never do
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
  std::size_t running_ = 0;
};

}  // namespace cfd::pubsub
