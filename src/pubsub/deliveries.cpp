#include "pubsub/deliveries.hpp"

#include <utility>

#include "metrics/metrics.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::seconds;

/// How long a confirmation may take before the acknowledgement is sent again.
constexpr seconds confirmation_timeout{10};

}  // namespace

std::vector<std::string> Deliveries::accept(const std::shared_ptr<PullResponse>& response,
                                            Clock::time_point now) {
  std::vector<std::string> warnings;
  if (response->exactly_once) exactly_once_ = *response->exactly_once;
  if (response->ordered) ordered_ = *response->ordered;
  if (response->acknowledged) confirm_acks(*response->acknowledged, warnings);
  if (response->extended) confirm_leases(*response->extended, warnings);
  if (response->deliveries.empty()) return warnings;
  response->held = response->deliveries.size();
  response->place = responses_.insert(responses_.end(), response);
  for (Delivery& delivery : response->deliveries) {
    const Work work{response, &delivery};
    ++held_;
    held_bytes_ += delivery.bytes;
    delivery.extend_at = now + seconds(1);
    delivery.leased_until = now + ack_deadline_;
    if (stopping_) {
      give_back(work);
    } else if (exactly_once_) {
      // The message may run only when the service says that the lease is ours.
      delivery.state = Delivery::State::unconfirmed;
      delivery.extend_at = now + confirmation_timeout;
      acks_.set_deadline(delivery.ack_id, ack_deadline_);
      unconfirmed_leases_.insert_or_assign(std::string(delivery.ack_id), work);
    } else {
      make_ready(work);
    }
  }
  return warnings;
}

void Deliveries::make_ready(const Work& work) {
  work.delivery->state = Delivery::State::waiting;
  if (ordered_ && !work.delivery->ordering_key.empty()) {
    const auto [key, first] = keys_.try_emplace(std::string(work.delivery->ordering_key));
    if (!first) {
      key->second.push_back(work);
      return;
    }
  }
  ready_.push_back(work);
}

Work Deliveries::take(std::stop_source* stop) {
  Work work = std::move(ready_.front());
  ready_.pop_front();
  work.delivery->state = Delivery::State::running;
  ++running_;
  work.delivery->stop = stop;
  metrics::numbers().outstanding.store(static_cast<std::int64_t>(held_), std::memory_order_relaxed);
  return work;
}

void Deliveries::release(const Work& work) {
  work.delivery->state = Delivery::State::done;
  --held_;
  held_bytes_ -= work.delivery->bytes;
  metrics::numbers().outstanding.store(static_cast<std::int64_t>(held_), std::memory_order_relaxed);
  metrics::numbers().outstanding_bytes.store(static_cast<std::int64_t>(held_bytes_),
                                             std::memory_order_relaxed);
  if (--work.response->held == 0) responses_.erase(work.response->place);
}

void Deliveries::give_back(const Work& work, seconds deadline) {
  acks_.set_deadline(work.delivery->ack_id, deadline);
  metrics::numbers().given_back.fetch_add(1, std::memory_order_relaxed);
  release(work);
}

void Deliveries::finish(const Work& work, transport::Disposition disposition) {
  --running_;
  // A function that was asked to stop may have left its work undone.
  if (work.delivery->lost) disposition.ack = false;
  if (disposition.ack) {
    acks_.acknowledge(work.delivery->ack_id);
    metrics::numbers().acknowledged.fetch_add(1, std::memory_order_relaxed);
    release(work);
  } else {
    give_back(work, disposition.redeliver_after);
  }
  if (work.delivery->ordering_key.empty()) return;
  const auto key = keys_.find(std::string(work.delivery->ordering_key));
  if (key == keys_.end()) return;
  if (!disposition.ack)
    for (const Work& behind : std::exchange(key->second, {})) give_back(behind);
  if (key->second.empty()) {
    keys_.erase(key);
  } else {
    ready_.push_back(std::move(key->second.front()));
    key->second.pop_front();
  }
}

void Deliveries::stop() {
  stopping_ = true;
  for (const Work& work : std::exchange(ready_, {})) give_back(work);
  for (auto& [name, behind] : keys_)
    for (const Work& work : std::exchange(behind, {})) give_back(work);
  for (const auto& [id, work] : std::exchange(unconfirmed_leases_, {})) give_back(work);
}

void Deliveries::extend(Clock::time_point now) {
  for (const auto& response : responses_)
    for (Delivery& delivery : response->deliveries) {
      if (delivery.state == Delivery::State::done || delivery.extend_at > now) continue;
      if (delivery.let_go) {
        if (delivery.leased_until <= now) lose(delivery);
        continue;
      }
      acks_.set_deadline(delivery.ack_id, ack_deadline_);
      metrics::numbers().extended.fetch_add(1, std::memory_order_relaxed);
      delivery.extend_at = now + std::chrono::milliseconds(ack_deadline_) / 2;
      delivery.leased_until = now + ack_deadline_;
    }
  for (auto& [id, when] : unconfirmed_acks_) {
    if (now - when < confirmation_timeout) continue;
    acks_.acknowledge(id);
    when = now;
  }
}

void Deliveries::expire(Clock::time_point now) {
  for (const auto& response : responses_)
    for (Delivery& delivery : response->deliveries)
      if (delivery.state == Delivery::State::running && delivery.leased_until <= now) lose(delivery);
}

void Deliveries::lose(Delivery& delivery) {
  if (std::exchange(delivery.lost, true)) return;
  metrics::numbers().leases_lost.fetch_add(1, std::memory_order_relaxed);
  if (delivery.stop != nullptr) lost_.push_back(*delivery.stop);
}

void Deliveries::stream_ended() {
  for (const auto& [id, when] : std::exchange(unconfirmed_acks_, {})) acks_.acknowledge(id);
  for (const auto& [id, work] : std::exchange(unconfirmed_leases_, {})) release(work);
}

void Deliveries::sent(const AckQueue::Piece& piece, Clock::time_point now) {
  if (!exactly_once_) return;
  for (const std::string_view id : ids_of(piece.acks))
    unconfirmed_acks_.insert_or_assign(std::string(id), now);
}

void Deliveries::confirm_leases(const Confirmation& confirmation, std::vector<std::string>& warnings) {
  for (const std::string_view id : confirmation.confirmed) {
    const auto it = unconfirmed_leases_.find(std::string(id));
    if (it == unconfirmed_leases_.end()) continue;  // a lease that was extended once more
    make_ready(it->second);
    unconfirmed_leases_.erase(it);
  }
  for (const std::string_view id : confirmation.failed_for_now) acks_.set_deadline(id, ack_deadline_);
  for (const std::string_view id : confirmation.invalid) {
    const auto it = unconfirmed_leases_.find(std::string(id));
    if (it == unconfirmed_leases_.end()) {
      warnings.emplace_back("lost the lease of a message while it ran: it may run a second time");
      for (const auto& response : responses_)
        for (Delivery& delivery : response->deliveries)
          if (delivery.state == Delivery::State::running && delivery.ack_id == id) lose(delivery);
      continue;
    }
    release(it->second);  // It comes again, under another id.
    unconfirmed_leases_.erase(it);
  }
}

void Deliveries::confirm_acks(const Confirmation& confirmation, std::vector<std::string>& warnings) {
  for (const std::string_view id : confirmation.confirmed) unconfirmed_acks_.erase(std::string(id));
  for (const std::string_view id : confirmation.failed_for_now)
    if (unconfirmed_acks_.erase(std::string(id)) != 0) acks_.acknowledge(id);
  for (const std::string_view id : confirmation.invalid)
    if (unconfirmed_acks_.erase(std::string(id)) != 0)
      warnings.emplace_back(
          "Pub/Sub refused an acknowledgement, because its lease had ended: the message runs again");
}

}  // namespace cfd::pubsub
