#include "pubsub/publisher.hpp"

#include <string>
#include <utility>

#include "pubsub/grpc_process.hpp"
#include "pubsub/publish_engine.hpp"
#include "transport/fork.hpp"

namespace cfd::pubsub {

GrpcPublisher::GrpcPublisher(transport::PublisherConfig config, Backoff backoff)
    : process_(transport::fork_generation()) {
  claim_grpc();
  engine_ = std::make_unique<Engine>(std::move(config), backoff);
}

GrpcPublisher::~GrpcPublisher() {
  // The child has none of the parent's threads and must not close the parent's connection: it lets go of its
  // copy.
  if (in_child()) static_cast<void>(engine_.release());
}

bool GrpcPublisher::in_child() const noexcept {
  return process_ != transport::fork_generation();
}

void GrpcPublisher::publish(const transport::Outgoing& message, detail::CallStatePtr call) {
  if (in_child()) claim_grpc();  // throws
  engine_->publish(message, std::move(call));
}

std::size_t GrpcPublisher::flush(Clock::time_point deadline) {
  return in_child() ? 0 : engine_->flush(deadline);
}

std::size_t GrpcPublisher::close(Clock::time_point deadline) {
  return in_child() ? 0 : engine_->close(deadline);
}

void GrpcPublisher::resume(std::string_view ordering_key) {
  if (!in_child()) engine_->resume(ordering_key);
}

void GrpcPublisher::resume_all() {
  if (!in_child()) engine_->resume_all();
}

}  // namespace cfd::pubsub
