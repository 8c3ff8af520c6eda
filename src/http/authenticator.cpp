#include "http/authenticator.hpp"

#include <cfd/error.hpp>

#include "settings/settings.hpp"

namespace cfd::http {
namespace {

using settings::Key;

constinit MakeAuthenticator linked = nullptr;

}  // namespace

void set_make_authenticator(MakeAuthenticator make) noexcept {
  linked = make;
}

std::unique_ptr<Authenticator> authenticator_from_settings() {
  const auto email = settings::find(Key::push_auth_email);
  const auto audience = settings::find(Key::push_auth_audience);
  if (!email && !audience) return nullptr;
  // Google signs tokens for everybody: either alone lets in whoever can choose the other.
  if (!email || !audience)
    throw ConfigError(
        "pushes are verified by both or neither of CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_EMAIL and "
        "CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_AUDIENCE: one of them is not set");
  if (linked == nullptr)
    throw ConfigError(
        "pushes cannot be verified, because this program does not link what does: link the CMake target "
        "cfd::auth, too");
  return linked({*email, *audience, settings::require(Key::push_auth_keys)});
}

}  // namespace cfd::http
