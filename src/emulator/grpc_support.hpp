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

/// Ends a call with the status of what it did, once that is durable.
template <typename Target>
void finish_durably(grpc::ServerUnaryReactor* reactor, Target& target, const Status& status) {
  if constexpr (requires { target.when_durable([](const Status&) {}); }) {
    if (status.ok()) {
      return target.when_durable([reactor](const Status& durable) { reactor->Finish(to_grpc(durable)); });
    }
  }
  reactor->Finish(to_grpc(status));
}

/// Calls `operation(*request, *response)` of `target` and answers with its status, once what it did is
/// durable.
template <typename Target, typename Request, typename Response>
grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, Target& target,
                                 Status (Target::*operation)(const Request&, Response&),
                                 const Request* request, Response* response) {
  auto* const reactor = context->DefaultReactor();
  finish_durably(reactor, target, (target.*operation)(*request, *response));
  return reactor;
}

/// The same for a method that tests may make fail: `target.faults()` knows it by `method`.
template <typename Target, typename Request, typename Response>
grpc::ServerUnaryReactor* answer_with_faults(grpc::CallbackServerContext* context, Target& target,
                                             std::string_view method,
                                             Status (Target::*operation)(const Request&, Response&),
                                             const Request* request, Response* response) {
  auto* const reactor = context->DefaultReactor();
  target.faults().apply(method, [=, &target](const auto& fault) {
    if (!fault.status.ok()) return reactor->Finish(to_grpc(fault.status));
    finish_durably(reactor, target, (target.*operation)(*request, *response));
  });
  return reactor;
}

}  // namespace cfd::emulator
