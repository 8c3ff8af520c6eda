#pragma once

/// \file
/// How an operation of the server ended: gRPC's status codes, without gRPC.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace cfd::emulator {

/// The values are gRPC's.
enum class Code : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
};

struct [[nodiscard]] Status {
  Code code = Code::ok;
  std::string message = {};
  std::map<std::string, std::string> ack_errors =
      {};  ///< ack id -> reason; travels as google.rpc.ErrorInfo.metadata

  bool ok() const noexcept { return code == Code::ok; }
};

inline Status invalid_argument(std::string message) {
  return {Code::invalid_argument, std::move(message)};
}
inline Status not_found(const std::string& name) {
  return {Code::not_found, "Resource not found (resource=" + name + ")."};
}
inline Status already_exists(const std::string& name) {
  return {Code::already_exists, "Resource already exists in the project (resource=" + name + ")."};
}
inline Status failed_precondition(std::string message) {
  return {Code::failed_precondition, std::move(message)};
}

}  // namespace cfd::emulator
