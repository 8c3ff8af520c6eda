#pragma once

/// \file
/// A delivery as the HTTP request that pushes it.

#include <string>
#include <string_view>

#include "emulator/http_client.hpp"
#include "emulator/subscription.hpp"

namespace cfd::emulator {

/// The form of push a subscription asks for.
struct PushForm {
  std::string subscription;     ///< full name
  bool wrapped = true;          ///< the message as JSON, or its data as the body
  bool write_metadata = false;  ///< unwrapped only: attributes and metadata as headers
};

HttpRequest make_push_request(const PushForm& form, const Delivery& delivery);

std::string to_base64(std::string_view bytes);

}  // namespace cfd::emulator
