#pragma once

/// \file
/// Brings a small document from a URL.

#include <chrono>
#include <stop_token>
#include <string>

namespace cfd::auth {

/// A document, or why there is none.
struct Fetched {
  std::string body;
  std::chrono::seconds max_age{0};  ///< how long it may be kept, as the sender says; 0: it does not say
  std::string error;                ///< one line; empty where there is a body
};

/// Fetches https://… (the host's certificate is verified against the system's authorities), http://… or
/// file:/…, within ten seconds, at most 1 MiB, following no redirection. Returns earlier where `stop` is
/// requested. Never throws.
Fetched fetch(const std::string& url, const std::stop_token& stop);

}  // namespace cfd::auth
