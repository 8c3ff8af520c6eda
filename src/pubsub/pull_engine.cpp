#include "pubsub/pull_engine.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/channel.h>

#include "pubsub/channel.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::milliseconds;

/// A server that ignores our flow control is not read any further at this multiple of it.
constexpr std::size_t tolerance = 2;

/// Google's clients name themselves so that a stream that is opened again is known to be the same client's.
std::string new_client_id() {
  std::random_device random;
  return fmt::format("cfd-{:08x}{:08x}", random(), random());
}

}  // namespace

PullEngine::PullEngine(const transport::SubscriberConfig& config, const Backoff& backoff,
                       const PullTimes& times, std::stop_token stop,
                       const transport::Subscriber::Handler& handler)
    : config_(config),
      backoff_(backoff),
      times_(times),
      stop_(std::move(stop)),
      handler_(handler),
      deliveries_(times.ack_deadline),
      client_id_(new_client_id()) {}

PullEngine::~PullEngine() {
  completions_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (completions_.Next(&tag, &ok)) {
  }
}

std::string PullEngine::run() {
  std::string error;
  channel_ = connect(config_.endpoint, config_.insecure, error);
  if (!channel_) return error;
  stub_ = std::make_unique<grpc::GenericStub>(channel_);
  const std::stop_callback wake(stop_, [this] {
    wake_up_.Set(&completions_, gpr_now(GPR_CLOCK_MONOTONIC), reinterpret_cast<void*>(Event::woken));
  });
  for (std::size_t i = 0; i < std::max<std::size_t>(config_.max_concurrent, 1); ++i)
    threads_.emplace_back([this] { handle_messages(); });
  while (step()) {
  }
  say_goodbye();
  for (std::thread& t : threads_) t.join();
  return reason_;
}

bool PullEngine::step() {
  keep_house(Clock::now());
  bool busy = false;
  {
    const std::lock_guard lock(mutex_);
    // What runs ends before we do; what the service says no more about is not waited for.
    if (stopping_ && deliveries_.running() == 0) return false;
    busy = deliveries_.held() != 0 || !deliveries_.acks().empty() || stopping_ || !stream_;
  }
  wait(busy ? times_.tick : times_.idle_tick);
  return true;
}

void PullEngine::wait(milliseconds at_most) {
  void* tag = nullptr;
  bool ok = false;
  if (completions_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + at_most) ==
      grpc::CompletionQueue::GOT_EVENT)
    on(static_cast<Event>(reinterpret_cast<std::uintptr_t>(tag)), ok);
}

void PullEngine::on(Event event, bool ok) {
  switch (event) {
    case Event::opened: {
      stream_->started = true;
      if (ok) {
        {
          const std::lock_guard lock(mutex_);
          mark_writing();
        }
        write_bytes(encode(PullStart{config_.subscription, client_id_, times_.ack_deadline,
                                     config_.max_outstanding, config_.max_outstanding_bytes}));
        const std::lock_guard lock(mutex_);
        stream_->open = true;
      }
      read_more();  // Where the opening failed, so does this, and the stream ends like any other.
      break;
    }
    case Event::read:
      on_read(ok);
      break;
    case Event::written: {
      std::unique_lock lock(mutex_);
      stream_->writing = false;
      AckQueue::Piece piece = std::exchange(stream_->in_write, {});
      if (!ok) {
        if (piece.count != 0) deliveries_.acks().put_back(std::move(piece));
        stream_->open = false;
        stream_->broken = !stream_->reading;  // else the read tells
      }
      if (deliveries_.acks().count() >= full_ack_batch) write(lock);
      break;
    }
    case Event::half_closed: {
      const std::lock_guard lock(mutex_);
      stream_->writing = false;
      break;
    }
    case Event::ended:
      on_ended();
      break;
    case Event::woken:
      begin_stop();
      break;
  }
}

void PullEngine::begin_stop() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(stopping_, true)) return;
  deliveries_.stop();
}

void PullEngine::keep_house(Clock::time_point now) {
  if (stop_.stop_requested()) begin_stop();
  if (!stream_ || !stream_->open) {
    {
      const std::lock_guard lock(mutex_);
      deliveries_.expire(now);
    }
    stop_lost_functions();
  }
  if (!stream_) {
    if (!stopping_ && now >= open_at_) open_stream();
    return;
  }
  std::unique_lock lock(mutex_);
  if (stream_->open && now >= extend_at_) {
    deliveries_.extend(now);
    extend_at_ = now + std::min<milliseconds>(milliseconds(500), times_.ack_deadline / 4);
  }
  write(lock);
  if (stream_->broken && !stream_->writing && !stream_->ending) {
    stream_->ending = true;
    lock.unlock();
    stream_->io->Finish(&stream_->status, reinterpret_cast<void*>(Event::ended));
    return;
  }
  // What awaits the confirmation of its lease does not count: that comes by reading on.
  const bool too_much = deliveries_.runnable() >= tolerance * config_.max_outstanding ||
                        deliveries_.held_bytes() >= tolerance * config_.max_outstanding_bytes;
  const bool read = stream_->open && !stream_->reading && !stream_->broken && !too_much;
  const bool keep_alive = may_write() && now - stream_->last_write >= times_.keep_alive;
  if (keep_alive) mark_writing();
  lock.unlock();
  if (read) read_more();
  if (keep_alive) write_bytes({});
  watch(now);
}

}  // namespace cfd::pubsub
