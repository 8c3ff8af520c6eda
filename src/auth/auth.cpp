#include "auth/fetch.hpp"
#include "auth/hmac.hpp"
#include "auth/verifier.hpp"

namespace cfd::auth {
namespace {

std::unique_ptr<http::Authenticator> make_verifier(const http::AuthenticatorConfig& config) {
  return std::make_unique<Verifier>(config, KeySet::Times{}, fetch);
}

}  // namespace
}  // namespace cfd::auth

/// As src/pubsub/backend.cpp: programs that link this library are linked with `--undefined` and this name.
extern "C" const bool cfd_auth_linked;
const bool cfd_auth_linked = [] {
  cfd::http::set_make_authenticator(cfd::auth::make_verifier);
  cfd::signing::set_hmac({&cfd::auth::hmac_sha256, &cfd::auth::equal});
  return true;
}();
