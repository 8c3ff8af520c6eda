#pragma once

/// \file
/// The server's HTTP port: the REST mapping, the page for people, and the keys of push tokens.

#include <cstdint>
#include <memory>
#include <string>

namespace cfd::emulator {

class Broker;
class OidcSigner;
class Rest;

/// start and stop belong to one thread.
class WebServer {
 public:
  WebServer(Broker& broker, Rest& rest, OidcSigner& signer);
  ~WebServer();  ///< stops
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// Binds and serves. Throws cfd::Error, naming the address, where that fails.
  void start(const std::string& address, std::uint16_t port);
  std::uint16_t port() const noexcept;
  /// Closes all connections. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The figures of all topics and subscriptions at this moment, as JSON for the page.
std::string state_json(const Broker& broker);

/// The page: HTML with its style and script, made from page.html by the build.
extern const char* const page_html;

}  // namespace cfd::emulator
