#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "emulator/grpc_support.hpp"
#include "emulator/pull.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

constexpr std::size_t max_response_messages = 1'000;
constexpr std::size_t max_response_bytes = 1U << 20U;

/// A StreamingPullRequest, with its ack ids read and not copied.
struct StreamRequest {
  std::string_view subscription;
  std::vector<AckToken> acks;
  std::vector<AckToken> modified;
  std::vector<Duration> deadlines;
  std::int32_t stream_deadline = 0;
  std::int64_t max_messages = 0;
  std::int64_t max_bytes = 0;
  std::int64_t protocol_version = 0;
};

Status add_token(std::string_view ack_id, std::vector<AckToken>& tokens) {
  const auto token = parse_ack_id(ack_id);
  if (!token) return invalid_argument(fmt::format("Invalid ack id given (ack_id={}).", ack_id));
  tokens.push_back(*token);
  return {};
}

Status add_deadline(std::uint64_t value, std::vector<Duration>& deadlines) {
  const auto seconds = static_cast<std::int32_t>(value);
  if (seconds < 0 || seconds > 600) {
    return invalid_argument(fmt::format("Invalid ack deadline given (modify_deadline_seconds={}).", seconds));
  }
  deadlines.push_back(std::chrono::seconds{seconds});
  return {};
}

/// modify_deadline_seconds comes packed from every usual client; proto3 demands that both forms are read.
Status add_deadlines(const wire::Field& field, std::vector<Duration>& deadlines) {
  if (field.type == 0) return add_deadline(field.value, deadlines);
  // A packed field is a sequence of varints, which is what follows a tag; the reader wants to see one before
  // each.
  std::string_view rest = field.bytes;
  while (!rest.empty()) {
    std::uint64_t value = 0;
    unsigned shift = 0;
    bool more = true;
    for (; more && !rest.empty() && shift < 64; shift += 7, rest.remove_prefix(1)) {
      const auto byte = static_cast<unsigned char>(rest.front());
      value |= std::uint64_t{byte & 0x7FU} << shift;
      more = byte >= 0x80U;
    }
    if (more) return invalid_argument("the request is not a well-formed StreamingPullRequest");
    if (auto status = add_deadline(value, deadlines); !status.ok()) return status;
  }
  return {};
}

Status parse(std::string_view bytes, StreamRequest& request) {
  wire::Reader reader(bytes);
  for (wire::Field field; reader.next(field);) {
    Status status;
    switch (field.number) {
      case 1:
        request.subscription = field.bytes;
        break;
      case 2:
        status = add_token(field.bytes, request.acks);
        break;
      case 3:
        status = add_deadlines(field, request.deadlines);
        break;
      case 4:
        status = add_token(field.bytes, request.modified);
        break;
      case 5:
        request.stream_deadline = static_cast<std::int32_t>(field.value);
        break;
      case 7:
        request.max_messages = static_cast<std::int64_t>(field.value);
        break;
      case 8:
        request.max_bytes = static_cast<std::int64_t>(field.value);
        break;
      case 10:
        request.protocol_version = static_cast<std::int64_t>(field.value);
        break;
      default:
        break;
    }
    if (!status.ok()) return status;
  }
  if (!reader.ok()) return invalid_argument("the request is not a well-formed StreamingPullRequest");
  if (request.modified.size() != request.deadlines.size()) {
    return invalid_argument("modify_deadline_seconds and modify_deadline_ack_ids differ in length");
  }
  if (request.stream_deadline != 0 && (request.stream_deadline < 10 || request.stream_deadline > 600)) {
    return invalid_argument(
        fmt::format("Invalid ack deadline given (stream_ack_deadline_seconds={}): it must be 10 to 600.",
                    request.stream_deadline));
  }
  return {};
}

/// An AcknowledgeConfirmation or ModifyAckDeadlineConfirmation; both have ack_ids = 1 and invalid_ack_ids
/// = 2.
std::string confirmation(std::span<const AckToken> tokens, const std::vector<bool>& held) {
  std::string content;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    wire::append_bytes(content, held[i] ? 1 : 2, to_ack_id(tokens[i]));
  return content;
}

/// One stream. Reads and writes go on independently; wake() comes from whoever publishes or acknowledges. At
/// most one write is under way, and what to write next is decided when it ends, so a slow client slows only
/// itself.
class StreamingPullCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                public std::enable_shared_from_this<StreamingPullCall> {
 public:
  explicit StreamingPullCall(Broker& broker) : broker_(broker) {}

  void start() {
    self_ = shared_from_this();
    broker_.faults().apply("StreamingPull", [this](const Fault& fault) {
      if (fault.status.ok())
        StartRead(&incoming_);
      else
        finish(fault.status);
    });
  }

  void OnReadDone(bool ok) override {
    if (!ok) return finish({});  // The client has closed its side.
    const Contiguous bytes(incoming_);
    StreamRequest request;
    auto status = parse(bytes.view(), request);
    if (status.ok()) status = queue_ == nullptr ? open(request) : check_later(request);
    if (!status.ok()) return finish(status);
    handle(request);
    StartRead(&incoming_);
    pump();
  }

  void OnWriteDone(bool ok) override {
    std::optional<Status> end;
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      if (!ok && !end_) end_ = Status{Code::cancelled, "the client is gone"};
      end = end_;
    }
    if (end)
      finish(*end);
    else
      pump();
  }

  void OnCancel() override { finish({Code::cancelled, "the call was cancelled"}); }

  void OnDone() override {
    if (queue_ != nullptr) queue_->remove_consumer(consumer_);
    self_.reset();
  }

 private:
  Status open(const StreamRequest& request) {
    SubscriptionPtr queue;
    if (auto status = broker_.open_for_pull(request.subscription, queue); !status.ok()) return status;
    const auto wake = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->pump();
    };
    const auto settings = queue->settings();
    deadline_ = settings.ack_deadline;
    const std::lock_guard lock(mutex_);
    exactly_once_ = settings.exactly_once;
    if (settings.exactly_once || settings.ordered) {
      std::string properties;
      if (settings.exactly_once) wire::append_varint(properties, 1, 1);
      if (settings.ordered) wire::append_varint(properties, 2, 1);
      wire::append_bytes(properties_, 4, properties);
    }
    consumer_ = queue->add_consumer(wake, request.max_messages, request.max_bytes);
    queue_ = std::move(queue);
    return {};
  }

  static Status check_later(const StreamRequest& request) {
    if (!request.subscription.empty() || request.max_messages != 0 || request.max_bytes != 0 ||
        request.protocol_version != 0) {
      return invalid_argument(
          "subscription, max_outstanding_messages, max_outstanding_bytes and protocol_version may only be "
          "set on the "
          "first request of a stream");
    }
    return {};
  }

  void handle(const StreamRequest& request) {
    std::string confirmations;
    if (request.stream_deadline != 0) deadline_ = std::chrono::seconds{request.stream_deadline};
    if (!request.acks.empty()) {
      const auto held = queue_->acknowledge(request.acks);
      if (exactly_once_) wire::append_bytes(confirmations, 5, confirmation(request.acks, held));
    }
    if (!request.modified.empty()) {
      const auto held = queue_->modify_deadline(request.modified, request.deadlines);
      if (exactly_once_) wire::append_bytes(confirmations, 3, confirmation(request.modified, held));
    }
    if (!confirmations.empty()) confirm(std::move(confirmations));
  }

  /// What is confirmed must not come back, not even after a crash.
  void confirm(std::string confirmations) {
    broker_.when_durable(
        [weak = weak_from_this(), confirmations = std::move(confirmations)](const Status& status) {
          const auto self = weak.lock();
          if (self == nullptr) return;
          if (!status.ok()) return self->finish(status);
          {
            const std::lock_guard lock(self->mutex_);
            self->confirmations_.push_back(confirmations);
          }
          self->pump();
        });
  }

  /// Writes what there is to write, unless a write is under way.
  void pump() {
    std::optional<Status> end;
    {
      const std::lock_guard lock(mutex_);
      if (writing_ || end_ || queue_ == nullptr) return;
      auto closed = queue_->closed();
      if (!closed.ok())
        end = std::move(closed);
      else if (!next_response())
        return;
      else
        writing_ = true;
    }
    if (end)
      finish(*end);
    else
      StartWrite(&outgoing_);
  }

  /// Fills outgoing_. Confirmations travel alone, because a second one in a message would replace the first.
  bool next_response() {
    if (!confirmations_.empty()) {
      outgoing_ = to_byte_buffer({}, confirmations_.front() + properties_);
      confirmations_.erase(confirmations_.begin());
      return true;
    }
    const auto deliveries =
        queue_->take(consumer_, max_response_messages, max_response_bytes, deadline_.load());
    if (deliveries.empty()) return false;
    outgoing_ = to_byte_buffer(deliveries, properties_);
    return true;
  }

  void finish(const Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      if (!end_) end_ = status;
      if (writing_) return;  // OnWriteDone comes back here.
      finished_ = true;
    }
    Finish(to_grpc(*end_));
  }

  Broker& broker_;
  SubscriptionPtr queue_;  // set once, by the first request
  ConsumerPtr consumer_;
  std::atomic<Duration> deadline_{std::chrono::seconds{10}};
  bool exactly_once_ = false;
  std::string properties_;  // serialized subscription_properties, part of every response
  grpc::ByteBuffer incoming_;

  std::mutex mutex_;
  grpc::ByteBuffer outgoing_;
  std::vector<std::string> confirmations_;
  bool writing_ = false;
  bool finished_ = false;
  std::optional<Status> end_;
  std::shared_ptr<StreamingPullCall> self_;
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* start_streaming_pull(Broker& broker) {
  const auto call = std::make_shared<StreamingPullCall>(broker);
  call->start();
  return call.get();
}

}  // namespace cfd::emulator
