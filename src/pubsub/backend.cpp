#include "pubsub/publisher.hpp"
#include "pubsub/subscriber.hpp"
#include "transport/transport.hpp"

namespace cfd::pubsub {
namespace {

std::unique_ptr<transport::Publisher> make_publisher(const transport::PublisherConfig& config) {
  return std::make_unique<GrpcPublisher>(config);
}

std::unique_ptr<transport::Subscriber> make_subscriber(const transport::SubscriberConfig& config) {
  return std::make_unique<GrpcSubscriber>(config);
}

}  // namespace
}  // namespace cfd::pubsub

/// A linker takes an object out of a static library only where something refers to it, so programs that link
/// this library are linked with `--undefined` and this name; the object's initializer then makes gRPC the
/// transport.
extern "C" const bool cfd_pubsub_backend;
const bool cfd_pubsub_backend = [] {
  cfd::transport::set_backend({&cfd::pubsub::make_publisher, &cfd::pubsub::make_subscriber});
  return true;
}();
