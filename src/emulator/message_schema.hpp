#pragma once

/// \file
/// What a schema's definition means: which messages satisfy it.

#include <memory>
#include <string>
#include <string_view>

#include "emulator/status.hpp"

namespace cfd::emulator {

/// Immutable and thread-safe.
class MessageSchema {
 public:
  virtual ~MessageSchema() = default;
  /// INVALID_ARGUMENT, with the reason, where `data` does not satisfy the schema.
  virtual Status check_binary(std::string_view data) const = 0;
  virtual Status check_json(std::string_view data) const = 0;
};

/// Parse a definition; INVALID_ARGUMENT says where it is malformed.
Status parse_protobuf_schema(const std::string& definition, std::shared_ptr<const MessageSchema>& schema);
Status parse_avro_schema(const std::string& definition, std::shared_ptr<const MessageSchema>& schema);

}  // namespace cfd::emulator
