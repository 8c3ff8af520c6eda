#include "pubsub/pull_engine.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/channel.h>

#include <cfd/log.hpp>

#include "metrics/metrics.hpp"
#include "pubsub/channel.hpp"
#include "pubsub/status.hpp"

namespace cfd::pubsub {
namespace {

using std::chrono::milliseconds;

constexpr const char* pull_method = "/google.pubsub.v1.Subscriber/StreamingPull";
constexpr const char* acknowledge_method = "/google.pubsub.v1.Subscriber/Acknowledge";
constexpr const char* modify_method = "/google.pubsub.v1.Subscriber/ModifyAckDeadline";

/// So many acknowledgements are sent without waiting for more.
constexpr std::size_t full_ack_batch = 100;

/// A server that ignores our flow control is not read any further at this multiple of it.
constexpr std::size_t tolerance = 2;

grpc::ByteBuffer to_buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string to_string(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& s : slices) bytes.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return bytes;
}

std::chrono::system_clock::time_point system_time(Clock::time_point when) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(when - Clock::now());
}

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

// ---- On the handler threads

void PullEngine::handle_messages() {
  // One for all messages of this thread, until it is fired: that costs the messages nothing.
  std::stop_source stop;
  const auto fire = [&stop] { stop.request_stop(); };
  std::optional<std::stop_callback<decltype(fire)>> at_the_end(std::in_place, stop_, fire);
  bool lost = false;
  while (true) {
    Work work;
    // Renewed even where it has not fired yet: that comes late, and must not stop the next function.
    if (lost) {
      at_the_end.reset();
      stop = std::stop_source();
      at_the_end.emplace(stop_, fire);
    }
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return finished_ || deliveries_.has_work(); });
      if (!deliveries_.has_work()) return;
      work = deliveries_.take(&stop);
    }
    const Delivery& d = *work.delivery;
    const std::string published = publish_time(d);
    cfd::Event event;
    event.id = d.message_id;
    event.publish_time = published;
    event.subscription = config_.subscription;
    event.ordering_key = d.ordering_key;
    event.data = d.data;
    event.attributes =
        std::span<const Attribute>(work.response->attributes).subspan(d.first_attribute, d.attribute_count);
    event.delivery_attempt = d.attempt;
    lost = finish(work, handler_(event, stop.get_token()));
  }
}

/// Returns whether the message's lease had ended.
bool PullEngine::finish(const Work& work, const transport::Disposition& disposition) {
  std::unique_lock lock(mutex_);
  const bool lost = work.delivery->lost;
  deliveries_.finish(work, disposition);
  // A subscriber that has run out of messages acknowledges at once, a busy one in batches.
  if (deliveries_.acks().count() >= full_ack_batch || deliveries_.held() == 0) write(lock);
  return lost;
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

// ---- On the thread of run()

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
    }
    for (const std::string& w : warnings) log::warning("{}", w);
    stop_lost_functions();
    response->deliveries.size() > 1 ? work_.notify_all() : work_.notify_one();
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

void PullEngine::stop_lost_functions() {
  std::vector<std::stop_source> lost;
  {
    const std::lock_guard lock(mutex_);
    lost = deliveries_.take_lost();
  }
  if (lost.empty()) return;
  log::warning("the leases of {} running function(s) have ended: they are asked to stop", lost.size());
  for (std::stop_source& function : lost) function.request_stop();
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
