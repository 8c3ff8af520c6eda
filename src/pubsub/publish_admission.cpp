// What of a GrpcPublisher runs on the threads that make calls.
#include <algorithm>
#include <utility>

#include <grpc/support/time.h>
#include <time.h>

#include <cfd/error.hpp>
#include <cfd/log.hpp>

#include "pubsub/publish_request.hpp"

namespace cfd::pubsub {
namespace {

/// What a pending message takes besides its bytes: its state, and its place in a batch.
constexpr std::size_t message_overhead = 128;

/// The kernel's coarse monotonic clock: a few milliseconds late, and several times cheaper to read than the
/// exact one.
Clock::time_point coarse_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return Clock::time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

/// The lock is held for the copying of one message; sleeping on it would take longer than waiting awake.
std::unique_lock<std::mutex> lock_briefly_held(std::mutex& mutex) {
  for (int i = 0; i < 200; ++i) {
    std::unique_lock lock(mutex, std::try_to_lock);
    if (lock) return lock;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return std::unique_lock(mutex);
}

}  // namespace

void GrpcPublisher::Engine::publish(const transport::Outgoing& message, detail::CallStatePtr call) {
  const EncodedSize size = encoded_size(message);
  if (size.field + config_.topic.size() + 8 > max_request_bytes)
    throw PublishError("INVALID_ARGUMENT", "the message takes " + std::to_string(size.field) +
                                               " bytes with its attributes, and Pub/Sub accepts " +
                                               std::to_string(max_request_bytes) +
                                               ": pass large data by reference");
  std::unique_lock lock = lock_briefly_held(mutex_);
  if (phase_ != Phase::open)
    throw PublishError("CANCELLED", "the publisher is closed: the program is ending");
  if (!has_room(size.field) && !wait_for_room(lock, size.field, call)) return;
  const Clock::time_point now = coarse_now();
  if (!queue_.add(message, size, call, now)) {
    refuse(call, message.ordering_key, lock);
    return;
  }
  BatchPtr batch = connected_ ? queue_.next(now) : nullptr;
  lock.unlock();
  if (batch) send(std::move(batch));
}

void GrpcPublisher::Engine::refuse(const detail::CallStatePtr& call, std::string_view ordering_key,
                                   std::unique_lock<std::mutex>& lock) {
  const bool all = queue_.all_keys_stopped();
  const bool say = all && !std::exchange(said_all_keys_stopped_, true);
  lock.unlock();
  if (!all) {
    call->fail("FAILED_PRECONDITION", "an earlier call with ordering key \"" + std::string(ordering_key) +
                                          "\" failed: call cfd::resume with the key to go on");
    return;
  }
  const std::string text =
      "more ordering keys have failed than are remembered: calls with any ordering key " +
      std::string("are refused until cfd::resume_all");
  if (say) log::error("publishing to {}: {}", config_.topic, text);
  call->fail("FAILED_PRECONDITION", text);
}

bool GrpcPublisher::Engine::has_room(std::size_t bytes) const noexcept {
  if (queue_.messages() == 0) return true;
  return queue_.messages() < config_.max_pending &&
         queue_.bytes() + queue_.messages() * message_overhead + bytes <= config_.max_pending_bytes;
}

bool GrpcPublisher::Engine::wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes,
                                          const detail::CallStatePtr& call) {
  using WhenFull = transport::PublisherConfig::WhenFull;
  const std::string full = "the queue of unconfirmed calls is full (" + std::to_string(queue_.messages()) +
                           " calls, " + std::to_string(queue_.bytes()) + " bytes)";
  if (config_.when_full == WhenFull::drop) {
    drop(call, lock);
    return false;
  }
  // The hook of a failed call runs on the thread that makes room: it would wait for itself.
  if (config_.when_full == WhenFull::fail || on_own_thread()) throw PublishError("RESOURCE_EXHAUSTED", full);
  if (!room_.wait_until(lock, Clock::now() + config_.publish_timeout,
                        [&] { return phase_ != Phase::open || has_room(bytes); }))
    throw PublishError("DEADLINE_EXCEEDED", full + " and stayed so for " +
                                                std::to_string(config_.publish_timeout.count()) + " ms");
  if (phase_ != Phase::open)
    throw PublishError("CANCELLED", "the publisher is closed: the program is ending");
  return true;
}

void GrpcPublisher::Engine::drop(const detail::CallStatePtr& call, std::unique_lock<std::mutex>& lock) {
  const std::size_t dropped = ++dropped_;
  lock.unlock();
  // Said for the 1st, 2nd, 4th, 8th ... dropped call: a flood of calls must not become a flood of lines.
  if ((dropped & (dropped - 1)) == 0)
    log::warning("dropped {} call(s) to {} so far: the queue of unconfirmed calls is full", dropped,
                 config_.topic);
  call->fail("RESOURCE_EXHAUSTED", "dropped: the queue of unconfirmed calls was full");
}

std::size_t GrpcPublisher::Engine::flush(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  const std::uint64_t epoch = queue_.begin_epoch();
  // On its own thread, from the hook of a failed call, it would wait for itself.
  if (!on_own_thread()) room_.wait_until(lock, deadline, [&] { return queue_.unresolved(epoch) == 0; });
  return queue_.unresolved(epoch);
}

std::size_t GrpcPublisher::Engine::close(Clock::time_point deadline) {
  // exit() called by the hook of a failed call: this thread can neither send what is left nor join itself.
  const bool on_hook = on_own_thread();
  {
    std::unique_lock lock(mutex_);
    phase_ = std::max(phase_, Phase::closing);
    room_.notify_all();
    if (!on_hook)
      room_.wait_until(lock, deadline, [&] { return queue_.messages() == 0 || phase_ == Phase::aborting; });
    if (phase_ != Phase::aborting) wake_up_.Set(&completions_, gpr_now(GPR_CLOCK_MONOTONIC), nullptr);
    phase_ = Phase::aborting;
    for (Request* request : requests_) request->context.TryCancel();
  }
  if (thread_.joinable()) {
    if (on_hook) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }
  const std::lock_guard lock(mutex_);
  return on_hook ? queue_.messages() : cancelled_;
}

void GrpcPublisher::Engine::resume(std::string_view ordering_key) {
  const std::lock_guard lock(mutex_);
  queue_.resume(ordering_key);
}

void GrpcPublisher::Engine::resume_all() {
  const std::lock_guard lock(mutex_);
  queue_.resume_all();
  said_all_keys_stopped_ = false;
}

}  // namespace cfd::pubsub
