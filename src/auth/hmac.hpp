#pragma once

/// \file
/// HMAC-SHA256 by OpenSSL, for src/signing.

#include "signing/hmac.hpp"

namespace cfd::auth {

signing::Mac hmac_sha256(std::string_view key, std::span<const std::string_view> parts);

/// Takes the same time whatever differs.
bool equal(const signing::Mac& a, const signing::Mac& b) noexcept;

}  // namespace cfd::auth
