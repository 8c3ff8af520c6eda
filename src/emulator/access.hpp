#pragma once

/// \file
/// Who may use the HTTP port from a browser: the server's own page, and no other site. The server knows no
/// users, so a page of any site that a developer opens could otherwise read and change everything here,
/// directly or by pointing a name of its own at this machine (DNS rebinding).

#include <string>
#include <string_view>

namespace cfd::emulator {

/// The headers that tell where a request comes from; empty where absent, as from all that is no browser.
struct RequestSource {
  std::string_view host = {};          ///< Host
  std::string_view origin = {};        ///< Origin
  std::string_view fetch_site = {};    ///< Sec-Fetch-Site
  std::string_view content_type = {};  ///< Content-Type
};

/// Whether nobody outside this machine's network can own the name: an address, a name without a dot or under
/// .localhost, .local, .internal or .test, this machine's own, or `own_address`, what the server listens on.
/// `host` may end in a port.
bool is_local_host(std::string_view host, std::string_view own_address);

/// Why a request must not be answered; empty where it may. One line that says what to do instead.
std::string refusal_of(const RequestSource& source, std::string_view own_address);

/// Whether a body of this type is one that a page of another site cannot send unasked.
bool is_json(std::string_view content_type) noexcept;

}  // namespace cfd::emulator
