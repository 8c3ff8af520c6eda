#pragma once

/// \file
/// For tests: an RSA key that signs tokens as Google does.

#include <cstdint>
#include <string>

#include <boost/json.hpp>

#include "auth/openssl.hpp"

namespace cfd::auth {

class TestKey {
 public:
  explicit TestKey(std::string id, unsigned bits = 2048);

  const std::string& id() const { return id_; }

  /// This key's entry of a key set.
  boost::json::object entry() const;

  /// A token with this header and these claims.
  std::string sign(const boost::json::object& header, const boost::json::object& claims) const;
  std::string sign(const boost::json::object& claims) const;

 private:
  std::string number(const char* parameter) const;

  std::string id_;
  KeyPtr key_;
};

std::string base64url(const std::string& bytes);

/// A key set of these keys.
template <class... Key>
std::string key_set(const Key&... keys) {
  return boost::json::serialize(boost::json::object{{"keys", boost::json::array{keys.entry()...}}});
}

/// The claims of a good token of pusher@example.com for https://worker.
boost::json::object good_claims();

}  // namespace cfd::auth
