#include "pubsub/publisher.hpp"
#include "transport/transport.hpp"

namespace cfd::pubsub {
namespace {

std::unique_ptr<transport::Publisher> make_publisher(const transport::PublisherConfig& config) {
  return std::make_unique<GrpcPublisher>(config);
}

}  // namespace
}  // namespace cfd::pubsub

/// A linker takes an object out of a static library only where something refers to it, so programs that link
/// this library are linked with `--undefined` and this name; the object's initializer then makes gRPC the
/// transport.
extern "C" const bool cfd_pubsub_backend;
const bool cfd_pubsub_backend = [] {
  cfd::transport::set_backend({&cfd::pubsub::make_publisher, nullptr});
  return true;
}();
