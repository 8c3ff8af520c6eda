// The stream of a PullEngine: opened, read, written to, watched, and opened again.
#include <utility>

#include <cfd/log.hpp>

#include "metrics/metrics.hpp"
#include "pubsub/byte_buffer.hpp"
#include "pubsub/pull_engine.hpp"
#include "pubsub/status.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::milliseconds;

constexpr const char* pull_method = "/google.pubsub.v1.Subscriber/StreamingPull";

}  // namespace

void PullEngine::open_stream() {
  auto stream = std::make_unique<Stream>();
  stream->last_read = stream->last_write = stream->busy_since = Clock::now();
  stream->context.AddMetadata("x-goog-request-params", "subscription=" + config_.subscription);
  stream->io = stub_->PrepareCall(&stream->context, pull_method, &completions_);
  Stream* const opened = stream.get();
  {
    const std::lock_guard lock(mutex_);
    stream_ = std::move(stream);
  }
  metrics::numbers().streams_opened.fetch_add(1, std::memory_order_relaxed);
  opened->io->StartCall(reinterpret_cast<void*>(Event::opened));
}

void PullEngine::read_more() {
  stream_->reading = true;
  stream_->io->Read(&stream_->read, reinterpret_cast<void*>(Event::read));
}

void PullEngine::on_read(bool ok) {
  stream_->reading = false;
  if (!ok) {
    const std::lock_guard lock(mutex_);
    stream_->broken = true;
    return;
  }
  const Clock::time_point now = Clock::now();
  stream_->last_read = now;
  failures_ = 0;
  const auto response = parse_pull_response(to_string(stream_->read));
  if (!response) {
    log::warning("{} sent something that is no StreamingPullResponse: opening the stream again",
                 config_.endpoint);
    stream_->given_up = true;
    stream_->context.TryCancel();
  } else {
    std::vector<std::string> warnings;
    {
      std::unique_lock lock(mutex_);
      warnings = deliveries_.accept(response, now);
      write(lock);
      wake_handler();
    }
    for (const std::string& w : warnings) log::warning("{}", w);
    stop_lost_functions();
  }
}

void PullEngine::on_ended() {
  const grpc::Status status = stream_->status;
  const bool given_up = stream_->given_up;
  {
    const std::lock_guard lock(mutex_);
    if (stream_->in_write.count != 0) deliveries_.acks().put_back(std::move(stream_->in_write));
    stream_.reset();
    deliveries_.stream_ended();
    if (stopping_) return;
  }
  if (!status.ok() && !given_up && !pull_may_succeed_later(status)) {
    reason_ = fmt::format("pulling from {} ended: {}", config_.subscription, describe(status));
    begin_stop();
    return;
  }
  // A stream that brought messages ends now and then, without any fault, and is opened again at once.
  const milliseconds delay = failures_ == 0 ? milliseconds(0) : backoff_.delay(failures_);
  if (++failures_ == 2)
    log::warning("pulling from {} at {} fails, trying again: {}", config_.subscription, config_.endpoint,
                 describe(status));
  open_at_ = Clock::now() + delay;
}

void PullEngine::watch(Clock::time_point now) {
  if (stream_->given_up) return;
  bool stuck = false;
  {
    const std::lock_guard lock(mutex_);
    stuck = (!stream_->open || stream_->writing) && now - stream_->busy_since > times_.stuck;
  }
  const bool silent = stream_->reading && now - stream_->last_read > times_.silent;
  if (!stuck && !silent) return;
  log::warning("the stream from {} {}: opening it again", config_.subscription,
               stuck ? "takes nothing any more" : "has brought nothing for a long time");
  stream_->given_up = true;
  stream_->context.TryCancel();
}

// ---- On any thread

bool PullEngine::may_write() const noexcept {
  return stream_ && stream_->open && !stream_->writing && !stream_->broken && !stream_->ending;
}

void PullEngine::write(std::unique_lock<std::mutex>& lock) {
  if (!may_write() || deliveries_.acks().empty()) return;
  AckQueue::Piece piece = deliveries_.acks().take();
  const std::string bytes = piece.encode();
  stream_->in_write = std::move(piece);
  deliveries_.sent(stream_->in_write, Clock::now());
  mark_writing();
  // The stream cannot end while a write is marked as under way, so it may begin outside of the lock.
  lock.unlock();
  write_bytes(bytes);
  lock.lock();
}

void PullEngine::mark_writing() {
  stream_->writing = true;
  stream_->busy_since = stream_->last_write = Clock::now();
}

void PullEngine::write_bytes(const std::string& bytes) {
  stream_->io->Write(to_buffer(bytes), reinterpret_cast<void*>(Event::written));
}

}  // namespace cfd::pubsub
