#pragma once

/// \file
/// Deliveries in the form in which they travel: the field received_messages of PullResponse and
/// StreamingPullResponse.

#include <span>

#include "emulator/subscription.hpp"

namespace cfd::emulator {

/// How many bytes encode_deliveries() writes.
std::size_t encoded_size(std::span<const Delivery> deliveries) noexcept;

/// Writes at `out`, and returns the position after.
char* encode_deliveries(std::span<const Delivery> deliveries, char* out) noexcept;

}  // namespace cfd::emulator
