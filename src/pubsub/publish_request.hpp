#pragma once

#include <memory>

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "pubsub/publish_engine.hpp"

namespace cfd::pubsub {

/// A request under way; it is its own tag in the completion queue.
struct GrpcPublisher::Engine::Request {
  BatchPtr batch;
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
};

}  // namespace cfd::pubsub
