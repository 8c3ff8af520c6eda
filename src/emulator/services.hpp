#pragma once

/// \file
/// The gRPC services of google.pubsub.v1, as adapters of the broker.

#include <memory>

namespace grpc {
class Service;
}

namespace cfd::emulator {

class Broker;

/// They keep a reference to the broker.
std::unique_ptr<grpc::Service> make_publisher_service(Broker& broker);
std::unique_ptr<grpc::Service> make_subscriber_service(Broker& broker);

}  // namespace cfd::emulator
