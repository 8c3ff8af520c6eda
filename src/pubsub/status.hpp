#pragma once

/// \file
/// gRPC's status codes: their names, and which of them Pub/Sub's clients retry.

#include <string>
#include <string_view>

namespace grpc {
class Status;
}

namespace cfd::pubsub {

/// The standard name of a status code, such as "NOT_FOUND".
std::string_view code_name(const grpc::Status& status) noexcept;

/// Code and text on one line, such as "UNAVAILABLE: connection reset".
std::string describe(const grpc::Status& status);

/// Whether Google's clients retry a Publish that ended so (pubsub_grpc_service_config.json).
bool publish_may_succeed_later(const grpc::Status& status) noexcept;

/// Whether Google's clients open a StreamingPull again that ended so.
bool pull_may_succeed_later(const grpc::Status& status) noexcept;

}  // namespace cfd::pubsub
