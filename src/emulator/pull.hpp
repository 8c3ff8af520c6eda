#pragma once

/// \file
/// The two calls that wait for messages: Pull and StreamingPull. For source files that include gRPC.

#include <grpcpp/grpcpp.h>

#include "emulator/broker.hpp"

namespace cfd::emulator {

/// Deliveries as a serialized PullResponse, or as part of a StreamingPullResponse with `tail` behind.
grpc::ByteBuffer to_byte_buffer(std::span<const Delivery> deliveries, std::string_view tail = {});

grpc::ServerUnaryReactor* start_pull(Broker& broker, const grpc::ByteBuffer& request,
                                     grpc::ByteBuffer& response);

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* start_streaming_pull(Broker& broker);

}  // namespace cfd::emulator
