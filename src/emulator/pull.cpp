#include "emulator/pull.hpp"

#include <atomic>
#include <utility>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/encoding.hpp"
#include "emulator/grpc_support.hpp"

namespace cfd::emulator {

namespace {

constexpr std::size_t max_pull_messages = 1'000;
constexpr std::size_t max_pull_bytes = 10'000'000;
/// How long a Pull waits for a first message before it answers with none. Clients call again.
constexpr std::chrono::seconds pull_wait{20};

/// One Pull. Lives until gRPC is done with the call.
class PullCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<PullCall> {
 public:
  PullCall(grpc::ByteBuffer& response, SubscriptionPtr queue, std::size_t max_messages)
      : response_(response), queue_(std::move(queue)), max_messages_(max_messages) {}

  void keep_until_done() { self_ = shared_from_this(); }

  void start(Scheduler& scheduler, bool wait) {
    const auto weak = weak_from_this();
    {
      const std::lock_guard lock(mutex_);
      if (done_) return;  // cancelled before it began
      consumer_ = queue_->add_consumer(
          [weak] {
            if (const auto self = weak.lock()) self->try_answer(false);
          },
          0, 0);
    }
    if (try_answer(!wait)) return;
    scheduler.at(scheduler.clock().now() + pull_wait, [weak] {
      if (const auto self = weak.lock()) self->try_answer(true);
    });
  }

  void OnCancel() override { finish({Code::cancelled, "the call was cancelled"}); }
  void OnDone() override { self_.reset(); }

  void finish(const Status& status) {
    const std::lock_guard lock(mutex_);
    if (!done_) finish_locked(status);
  }

 private:
  /// Answers if there are messages, or if `even_empty`. Two threads may get here at once; one answers.
  bool try_answer(bool even_empty) {
    const std::lock_guard lock(mutex_);
    if (done_) return true;
    const auto deliveries =
        queue_->take(consumer_, max_messages_, max_pull_bytes, queue_->settings().ack_deadline);
    const auto closed = queue_->closed();
    if (deliveries.empty() && closed.ok() && !even_empty) return false;
    response_ = to_byte_buffer(deliveries);
    finish_locked(closed);
    return true;
  }

  void finish_locked(const Status& status) {
    done_ = true;
    if (consumer_ != nullptr) queue_->remove_consumer(consumer_);
    Finish(to_grpc(status));
  }

  grpc::ByteBuffer& response_;
  const SubscriptionPtr queue_;
  const std::size_t max_messages_;
  ConsumerPtr consumer_;
  std::mutex mutex_;
  bool done_ = false;
  std::shared_ptr<PullCall> self_;
};

/// A Pull that is refused.
class Refusal final : public grpc::ServerUnaryReactor {
 public:
  explicit Refusal(const Status& status) { Finish(to_grpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ByteBuffer to_byte_buffer(std::span<const Delivery> deliveries, std::string_view tail) {
  const grpc::Slice slice(grpc_slice_malloc(encoded_size(deliveries) + tail.size()), grpc::Slice::STEAL_REF);
  // Nobody else has the slice yet; that it is seen as constant is the C++ wrapper's wish.
  char* const out =
      encode_deliveries(deliveries, reinterpret_cast<char*>(const_cast<std::uint8_t*>(slice.begin())));
  tail.copy(out, tail.size());
  return {&slice, 1};
}

grpc::ServerUnaryReactor* start_pull(Broker& broker, const grpc::ByteBuffer& request,
                                     grpc::ByteBuffer& response) {
  v1::PullRequest pull;
  const Contiguous bytes(request);
  if (!pull.ParseFromArray(bytes.view().data(), static_cast<int>(bytes.view().size()))) {
    return new Refusal(invalid_argument("the request is not a well-formed PullRequest"));
  }
  if (pull.max_messages() <= 0) return new Refusal(invalid_argument("max_messages must be above 0"));
  SubscriptionPtr queue;
  if (const auto status = broker.open_for_pull(pull.subscription(), queue); !status.ok())
    return new Refusal(status);
  const auto count = std::min(static_cast<std::size_t>(pull.max_messages()), max_pull_messages);
  const auto call = std::make_shared<PullCall>(response, std::move(queue), count);
  call->keep_until_done();
  broker.faults().apply("Pull", [call, &broker, wait = !pull.return_immediately()](const Fault& fault) {
    if (fault.status.ok())
      call->start(broker.scheduler(), wait);
    else
      call->finish(fault.status);
  });
  return call.get();
}

}  // namespace cfd::emulator
