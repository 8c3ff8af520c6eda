#pragma once

/// \file
/// What the gRPC services share: statuses, byte buffers, and answering a unary call with a broker operation.
/// For source files that include gRPC.

#include <string_view>

#include <grpcpp/grpcpp.h>

#include "emulator/status.hpp"

namespace cfd::emulator {

/// With google.rpc.ErrorInfo in its details where the status has errors of ack ids.
grpc::Status to_grpc(const Status& status);

/// The bytes of a buffer in one piece; valid as long as the object.
class Contiguous {
 public:
  explicit Contiguous(const grpc::ByteBuffer& buffer);
  std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()};
  }

 private:
  grpc::Slice slice_;
};

/// Calls `operation(*request, *response)` of `target` and answers with its status, once what it did is durable.
template <typename Target, typename Request, typename Response>
grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, Target& target,
                                 Status (Target::*operation)(const Request&, Response&), const Request* request,
                                 Response* response) {
  auto* const reactor = context->DefaultReactor();
  const auto status = (target.*operation)(*request, *response);
  if constexpr (requires { target.when_durable([](const Status&) {}); }) {
    if (status.ok()) {
      target.when_durable([reactor](const Status& durable) { reactor->Finish(to_grpc(durable)); });
      return reactor;
    }
  }
  reactor->Finish(to_grpc(status));
  return reactor;
}

}  // namespace cfd::emulator
