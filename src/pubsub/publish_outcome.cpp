// What becomes of the requests of a GrpcPublisher: confirmed, tried again, or given up. All on the engine's
// own thread.
#include <algorithm>
#include <utility>

#include <cfd/log.hpp>

#include "pubsub/publish_request.hpp"
#include "pubsub/status.hpp"

namespace cfd::pubsub {

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
  const bool expired = accepted_ && request->status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
  if (!publish_may_succeed_later(request->status) && !expired) {
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
  accepted_ = true;
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
