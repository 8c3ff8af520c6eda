#include "pubsub/publish_engine.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <grpcpp/channel.h>
#include <pthread.h>

#include "pubsub/channel.hpp"
#include "pubsub/publish_request.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::milliseconds;

// A plain literal: calls may still be on their way when static objects are destroyed.
constexpr const char* publish_method = "/google.pubsub.v1.Publisher/Publish";

/// Google's time limit on one attempt.
constexpr milliseconds attempt_timeout{60'000};

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

}  // namespace cfd::pubsub
