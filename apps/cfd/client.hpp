#pragma once

/// \file
/// A connection to the Pub/Sub server that PUBSUB_EMULATOR_HOST, or --host, names.

#include <chrono>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <cfd/error.hpp>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"

namespace cfd::command {

class Client {
 public:
  /// `host` as host:port; empty: the environment variable PUBSUB_EMULATOR_HOST. Throws ConfigError where
  /// neither is set.
  explicit Client(std::string host);

  pubsub::v1::Publisher::Stub& publisher() noexcept { return *publisher_; }
  pubsub::v1::Subscriber::Stub& subscriber() noexcept { return *subscriber_; }

  /// Calls `method` of `stub`. Throws Error with the status in words.
  template <typename Stub, typename Request, typename Response>
  Response call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{30});
    Response response;
    check((stub.*method)(&context, request, &response));
    return response;
  }

  void check(const grpc::Status& status) const;

 private:
  std::string host_;
  std::unique_ptr<pubsub::v1::Publisher::Stub> publisher_;
  std::unique_ptr<pubsub::v1::Subscriber::Stub> subscriber_;
};

}  // namespace cfd::command
