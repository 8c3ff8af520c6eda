#pragma once

/// \file
/// How a program gets HMAC-SHA256: from src/auth, where it links it.

#include <array>
#include <span>
#include <string_view>

namespace cfd::signing {

using Mac = std::array<unsigned char, 32>;

/// HMAC-SHA256 (RFC 2104) of the parts, one after the other; and a comparison in constant time.
struct Hmac {
  Mac (*compute)(std::string_view key, std::span<const std::string_view> parts) = nullptr;
  bool (*equal)(const Mac& a, const Mac& b) noexcept = nullptr;
};

/// Called once, by the static initializer of src/auth.
void set_hmac(Hmac hmac) noexcept;

/// The linked implementation; its members are null where the program links none.
Hmac hmac() noexcept;

}  // namespace cfd::signing
