#pragma once

/// \file
/// Identity tokens as Google's push requests carry them, signed by a key of this server's own.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "emulator/clock.hpp"

namespace cfd::emulator {

/// Makes its RSA key at first use. Thread-safe.
class OidcSigner {
 public:
  explicit OidcSigner(const Clock& clock);
  OidcSigner(const OidcSigner&) = delete;
  OidcSigner& operator=(const OidcSigner&) = delete;
  ~OidcSigner();

  /// A JWT for this service account and audience, good for up to an hour and for five minutes at least.
  std::string token(const std::string& service_account_email, const std::string& audience);

  /// The public key as a JSON Web Key Set.
  std::string jwks();

 private:
  struct Key;
  const Key& key();

  const Clock& clock_;
  std::mutex mutex_;
  std::unique_ptr<Key> key_;
  std::map<std::pair<std::string, std::string>, std::pair<std::string, Time>>
      tokens_;  // with the time they end
};

}  // namespace cfd::emulator
