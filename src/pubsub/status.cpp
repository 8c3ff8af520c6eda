#include "pubsub/status.hpp"

#include <array>
#include <cstddef>

#include <grpcpp/support/status.h>

namespace cfd::pubsub {

std::string_view code_name(const grpc::Status& status) noexcept {
  static constexpr std::array<std::string_view, 17> names{
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto code = static_cast<std::size_t>(status.error_code());
  return code < names.size() ? names[code] : "UNKNOWN";
}

std::string describe(const grpc::Status& status) {
  std::string line(code_name(status));
  if (!status.error_message().empty()) line.append(": ").append(status.error_message());
  return line;
}

bool publish_may_succeed_later(const grpc::Status& status) noexcept {
  return status.error_code() == grpc::StatusCode::CANCELLED || pull_may_succeed_later(status);
}

bool pull_may_succeed_later(const grpc::Status& status) noexcept {
  switch (status.error_code()) {
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::UNKNOWN:
      return true;
    default:
      return false;
  }
}

}  // namespace cfd::pubsub
