#pragma once

/// \file
/// The gRPC services of google.pubsub.v1 and google.iam.v1, as adapters of what does the work.

#include <memory>

namespace grpc {
class Service;
}

namespace cfd::emulator {

class Broker;
class IamPolicies;
class Schemas;

/// Each keeps a reference to what it adapts.
std::unique_ptr<grpc::Service> make_publisher_service(Broker& broker);
std::unique_ptr<grpc::Service> make_subscriber_service(Broker& broker);
std::unique_ptr<grpc::Service> make_schema_service(Schemas& schemas);
std::unique_ptr<grpc::Service> make_iam_service(IamPolicies& policies);

}  // namespace cfd::emulator
