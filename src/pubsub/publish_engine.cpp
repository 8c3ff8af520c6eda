#include "pubsub/publish_engine.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <pthread.h>
#include <time.h>

#include <cfd/error.hpp>
#include <cfd/log.hpp>

#include "pubsub/channel.hpp"
#include "pubsub/status.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::milliseconds;

// Plain literals: calls may still be on their way when static objects are destroyed.
constexpr const char* publish_method = "/google.pubsub.v1.Publisher/Publish";

/// Google's time limit on one attempt.
constexpr milliseconds attempt_timeout{60'000};

constexpr const char* closed_early = "the publisher was closed before the call was confirmed: ";

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

/// A slice that shares the buffer, so that a retry sends the same bytes without a copy.
grpc::ByteBuffer share(const std::shared_ptr<Buffer>& buffer) {
  auto* const reference = new std::shared_ptr<Buffer>(buffer);
  const std::string_view bytes = buffer->view();
  // gRPC takes a pointer to non-const and never writes through it.
  const grpc::Slice slice(
      const_cast<char*>(bytes.data()), bytes.size(),
      [](void* shared) { delete static_cast<std::shared_ptr<Buffer>*>(shared); }, reference);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

struct GrpcPublisher::Engine::Request {
  BatchPtr batch;
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
};

GrpcPublisher::Engine::Engine(transport::PublisherConfig config, Backoff backoff)
    : config_(std::move(config)), backoff_(backoff), queue_({config_.topic, config_.publish_timeout}) {
  // The program's signals are for the program's threads.
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

GrpcPublisher::Engine::~Engine() {
  close(Clock::now());
}

// ---- On the calling thread

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

// ---- On either

void GrpcPublisher::Engine::send(BatchPtr batch) {
  auto request = std::make_unique<Request>();
  request->batch = std::move(batch);
  const Clock::time_point now = Clock::now();
  const Clock::time_point deadline = std::min(now + attempt_timeout, request->batch->deadline);
  request->context.set_deadline(
      std::chrono::system_clock::now() +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline - now));
  request->reader = stub_->PrepareUnaryCall(&request->context, publish_method, share(request->batch->request),
                                            &completions_);
  auto* const reader = request->reader.get();
  {
    const std::lock_guard lock(mutex_);
    requests_.insert(request.get());
    if (phase_ == Phase::aborting) request->context.TryCancel();
  }
  // From here on the engine's own thread may end the request at any moment: nothing of it is read any more.
  Request* const tag = request.release();
  reader->StartCall();
  reader->Finish(&tag->response, &tag->status, tag);
}

// ---- On the engine's own thread

void GrpcPublisher::Engine::run() {
  while (true) {
    const Clock::time_point now = Clock::now();
    keep_house(now);
    bool busy = false;
    {
      const std::lock_guard lock(mutex_);
      if (phase_ == Phase::aborting && requests_.empty()) break;
      busy = queue_.messages() != 0 || phase_ == Phase::aborting;
    }
    // Idle, it wakes up now and then to keep the connection up; a request's end wakes it at any time.
    wait(busy ? milliseconds(5) : milliseconds(500));
  }
  std::vector<BatchPtr> rest;
  {
    const std::lock_guard lock(mutex_);
    rest = queue_.clear();
  }
  give_up(std::move(rest), "CANCELLED",
          std::string(closed_early) + (last_failure_.empty() ? "not sent yet" : last_failure_));
  completions_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (completions_.Next(&tag, &ok)) {
  }
}

bool GrpcPublisher::Engine::connect() {
  std::string error;
  channel_ = pubsub::connect(config_.endpoint, config_.insecure, error);
  if (!channel_) {
    std::vector<BatchPtr> all;
    {
      const std::lock_guard lock(mutex_);
      all = queue_.clear();
    }
    give_up(std::move(all), "UNAUTHENTICATED", error);
    next_connect_ = Clock::now() + milliseconds(1000);
    return false;
  }
  stub_ = std::make_unique<grpc::GenericStub>(channel_);
  const std::lock_guard lock(mutex_);
  connected_ = true;
  return true;
}

void GrpcPublisher::Engine::wait(milliseconds at_most) {
  void* tag = nullptr;
  bool ok = false;
  // Ends that have come meanwhile are taken one after another, without going around for each.
  auto deadline = std::chrono::system_clock::now() + at_most;
  for (int i = 0; i < 64; ++i) {
    if (completions_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return;
    if (tag != nullptr) ended(std::unique_ptr<Request>(static_cast<Request*>(tag)));
    deadline = {};
  }
}

void GrpcPublisher::Engine::keep_house(Clock::time_point now) {
  if (!connected_) {
    if (now < next_connect_ || !connect()) return;
  }
  // Asks for a new connection where the old one was closed, so that the next call finds it ready.
  const bool ready = channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
  std::vector<BatchPtr> expired;
  {
    // Only a new connection cuts waits short: a service that answers, but badly, is given the time it needs.
    const std::lock_guard lock(mutex_);
    if (ready && !was_ready_) queue_.hasten(now);
    if (now >= next_expiry_) {
      expired = queue_.expire(now);
      next_expiry_ = now + std::min(milliseconds(500), config_.publish_timeout / 20);
    }
  }
  was_ready_ = ready;
  if (!expired.empty()) {
    std::string text = "not confirmed within " + std::to_string(config_.publish_timeout.count()) + " ms";
    if (!last_failure_.empty()) text += "; the last attempt ended with " + last_failure_;
    give_up(std::move(expired), "DEADLINE_EXCEEDED", text);
  }
  pump(now);
}

void GrpcPublisher::Engine::pump(Clock::time_point now) {
  while (true) {
    BatchPtr batch;
    {
      const std::lock_guard lock(mutex_);
      if (phase_ == Phase::aborting) return;
      batch = queue_.next(now);
    }
    if (!batch) return;
    send(std::move(batch));
  }
}

void GrpcPublisher::Engine::ended(std::unique_ptr<Request> request) {
  bool aborting = false;
  {
    const std::lock_guard lock(mutex_);
    requests_.erase(request.get());
    aborting = phase_ == Phase::aborting;
  }
  BatchPtr batch = std::move(request->batch);
  if (request->status.ok()) {
    confirmed(std::move(batch), *request);
    return;
  }
  // An attempt that the call's own deadline cut short tells less than the failures before it.
  if (last_failure_.empty() || Clock::now() < batch->deadline) last_failure_ = describe(request->status);
  ++batch->failures;
  // One message that Pub/Sub refuses must not take the others of its request with it.
  if (request->status.error_code() == grpc::StatusCode::INVALID_ARGUMENT && batch->calls.size() > 1) {
    split_and_requeue(std::move(batch));
    return;
  }
  if (!publish_may_succeed_later(request->status)) {
    failed(std::move(batch), code_name(request->status), request->status.error_message());
    return;
  }
  if (aborting) {
    failed(std::move(batch), "CANCELLED", closed_early + last_failure_);
    return;
  }
  note_trouble();
  const Clock::time_point due = std::min(Clock::now() + backoff_.delay(batch->failures), batch->deadline);
  const std::lock_guard lock(mutex_);
  queue_.retry(std::move(batch), due);
}

void GrpcPublisher::Engine::confirmed(BatchPtr batch, Request& request) {
  if (std::exchange(in_trouble_, false)) log::info("publishing to {} works again", config_.topic);
  last_failure_.clear();
  const Clock::time_point now = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    queue_.finish(*batch, false);
  }
  pump(now);
  grpc::Slice response;
  // Nearly every answer is one slice already; then nothing is copied.
  const bool readable =
      request.response.TrySingleSlice(&response).ok() || request.response.DumpToSingleSlice(&response).ok();
  const std::string_view bytes(reinterpret_cast<const char*>(response.begin()), response.size());
  const bool complete = readable && parse_publish_response(bytes, ids_) && ids_.size() == batch->calls.size();
  for (std::size_t i = 0; i < batch->calls.size(); ++i) {
    if (complete) {
      batch->calls[i]->confirm(ids_[i]);
    } else {
      batch->calls[i]->fail("INTERNAL", "Pub/Sub took the request but answered without the message ids");
    }
  }
  resolved(*batch);
}

void GrpcPublisher::Engine::failed(BatchPtr batch, std::string_view code, const std::string& text) {
  std::vector<BatchPtr> behind;
  {
    const std::lock_guard lock(mutex_);
    behind = queue_.finish(*batch, true);
  }
  std::vector<BatchPtr> one;
  one.push_back(std::move(batch));
  give_up(std::move(one), code, text);
  give_up(std::move(behind), "FAILED_PRECONDITION",
          "an earlier call with the same ordering key failed: " + std::string(code));
}

void GrpcPublisher::Engine::split_and_requeue(BatchPtr batch) {
  BatchPtr rest = split(*batch);
  const std::lock_guard lock(mutex_);
  queue_.requeue(std::move(batch), std::move(rest));
}

void GrpcPublisher::Engine::give_up(std::vector<BatchPtr> batches, std::string_view code,
                                    std::string_view text) {
  std::size_t calls = 0;
  for (const BatchPtr& batch : batches) calls += batch->calls.size();
  if (calls != 0) log::error("could not publish {} call(s) to {}: {}: {}", calls, config_.topic, code, text);
  for (const BatchPtr& batch : batches) {
    for (const detail::CallStatePtr& call : batch->calls) call->fail(code, text);
    resolved(*batch);
    if (const std::lock_guard lock(mutex_); phase_ == Phase::aborting) cancelled_ += batch->calls.size();
  }
}

void GrpcPublisher::Engine::resolved(const Batch& batch) {
  {
    const std::lock_guard lock(mutex_);
    queue_.resolved(batch.epoch, batch.calls.size(), batch.payload());
  }
  room_.notify_all();
}

void GrpcPublisher::Engine::note_trouble() {
  if (!std::exchange(in_trouble_, true))
    log::warning("publishing to {} at {} fails, trying again: {}", config_.topic, config_.endpoint,
                 last_failure_);
}

}  // namespace cfd::pubsub
