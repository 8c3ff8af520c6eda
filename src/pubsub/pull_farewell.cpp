// How a PullEngine ends: everything that was handled is acknowledged, over the stream or by calls of their
// own.
#include <thread>

#include <fmt/format.h>
#include <grpcpp/channel.h>

#include <cfd/log.hpp>

#include "pubsub/byte_buffer.hpp"
#include "pubsub/pull_engine.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::milliseconds;

constexpr const char* acknowledge_method = "/google.pubsub.v1.Subscriber/Acknowledge";
constexpr const char* modify_method = "/google.pubsub.v1.Subscriber/ModifyAckDeadline";

std::chrono::system_clock::time_point system_time(Clock::time_point when) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(when - Clock::now());
}

}  // namespace

void PullEngine::say_goodbye() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  work_.notify_all();
  const Clock::time_point deadline = Clock::now() + times_.farewell;
  // Under exactly-once delivery the service confirms each acknowledgement; the stream stays open for that.
  while (stream_ && Clock::now() < deadline) {
    {
      const std::lock_guard lock(mutex_);
      if (deliveries_.unconfirmed_acks() == 0 && deliveries_.acks().empty() && !stream_->writing) break;
    }
    keep_house(Clock::now());
    wait(times_.tick);
  }
  wait_for_stream_end(deadline);
  send_rest_unary();
}

void PullEngine::wait_for_stream_end(Clock::time_point deadline) {
  if (!stream_) return;
  if (!stream_->started) {  // It has brought nothing, and nothing is lost with it.
    stream_->given_up = true;
    stream_->context.TryCancel();
  }
  {
    // Half-closed, the service works off what we have sent and then ends the stream; cut, it might not.
    std::unique_lock lock(mutex_);
    if (may_write()) {
      mark_writing();
      stream_->open = false;
      lock.unlock();
      stream_->io->WritesDone(reinterpret_cast<void*>(Event::half_closed));
    }
  }
  while (stream_) {
    if (Clock::now() >= deadline && !std::exchange(stream_->given_up, true)) stream_->context.TryCancel();
    if (stream_->started && !stream_->reading && !stream_->broken && !stream_->ending) read_more();
    bool end = false;
    {
      const std::lock_guard lock(mutex_);
      end = stream_->broken && !stream_->writing && !stream_->ending;
      if (end) stream_->ending = true;
    }
    if (end) stream_->io->Finish(&stream_->status, reinterpret_cast<void*>(Event::ended));
    wait(times_.tick);
  }
}

void PullEngine::send_rest_unary() {
  const Clock::time_point deadline = Clock::now() + times_.farewell;
  AckQueue& acks = deliveries_.acks();
  std::size_t lost = 0;
  while (!acks.empty()) {
    const AckQueue::Piece piece = acks.take();
    bool sent = piece.acks.empty() ||
                unary(acknowledge_method, encode_acknowledge(config_.subscription, piece.acks), deadline);
    for (const std::string& request : encode_modify(config_.subscription, piece))
      sent = unary(modify_method, request, deadline) && sent;
    if (!sent) lost += piece.count;
  }
  if (lost != 0)
    log::warning("{} acknowledgement(s) could not be sent: their messages are delivered again", lost);
}

bool PullEngine::unary(const char* method, const std::string& request, Clock::time_point deadline) {
  for (int attempt = 1;; ++attempt) {
    grpc::ClientContext context;
    context.set_deadline(system_time(deadline));
    grpc::CompletionQueue own;
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto reader = stub_->PrepareUnaryCall(&context, method, to_buffer(request), &own);
    reader->StartCall();
    reader->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    own.Next(&tag, &ok);
    own.Shutdown();
    while (own.Next(&tag, &ok)) {
    }
    if (status.ok()) return true;
    const milliseconds delay = backoff_.delay(attempt);
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE || Clock::now() + delay >= deadline)
      return false;
    std::this_thread::sleep_for(delay);
  }
}

}  // namespace cfd::pubsub
