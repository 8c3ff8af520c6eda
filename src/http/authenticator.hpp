#pragma once

/// \file
/// Who may call by push: the interface, and how a program gets an implementation (src/auth).

#include <memory>
#include <string>
#include <string_view>

namespace cfd::http {

/// Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// Returns 0 where a request with this Authorization header may call, else the status to answer: 401 nobody
  /// we know, 403 somebody else, 503 not to be told now. Logs the reason, which the sender does not learn.
  /// Waits for no network.
  virtual unsigned refuse(std::string_view authorization) noexcept = 0;
};

/// Whose tokens count.
struct AuthenticatorConfig {
  std::string email;  ///< the service account
  std::string audience;
  std::string keys_url;  ///< JSON Web Key Set: https:, file:, or http: on this machine
};

using MakeAuthenticator = std::unique_ptr<Authenticator> (*)(const AuthenticatorConfig&);

/// Called once, by the static initializer of src/auth.
void set_make_authenticator(MakeAuthenticator make) noexcept;

/// By the settings; null where they ask for none. Throws ConfigError where they are incomplete or the program
/// links no implementation.
std::unique_ptr<Authenticator> authenticator_from_settings();

}  // namespace cfd::http
