#include "emulator/grpc_support.hpp"

#include "cfd/rpc/status.pb.h"

namespace cfd::emulator {

grpc::Status to_grpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code);
  if (status.ack_errors.empty()) return {code, status.message};
  rpc::ErrorInfo info;
  info.set_reason("PERMANENT_FAILURE");
  info.set_domain("pubsub.googleapis.com");
  for (const auto& [ack_id, reason] : status.ack_errors) (*info.mutable_metadata())[ack_id] = reason;
  rpc::Status details;
  details.set_code(static_cast<int>(status.code));
  details.set_message(status.message);
  auto& any = *details.add_details();
  any.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  info.SerializeToString(any.mutable_value());
  return {code, status.message, details.SerializeAsString()};
}

Contiguous::Contiguous(const grpc::ByteBuffer& buffer) {
  if (!buffer.TrySingleSlice(&slice_).ok()) {
    if (!buffer.DumpToSingleSlice(&slice_).ok()) slice_ = grpc::Slice();
  }
}

}  // namespace cfd::emulator
