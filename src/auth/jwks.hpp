#pragma once

/// \file
/// JSON Web Key Sets (RFC 7517): the public keys of whoever signs tokens.

#include <map>
#include <string>
#include <string_view>

#include "auth/openssl.hpp"

namespace cfd::auth {

using Keys = std::map<std::string, KeyPtr>;  ///< by key id

/// Takes the RSA signing keys of 2,048 to 8,192 bits out of a key set into `keys`; passes over others.
/// Returns what is wrong, one line, where `text` is no key set or holds no such key.
std::string parse_key_set(std::string_view text, Keys& keys);

}  // namespace cfd::auth
