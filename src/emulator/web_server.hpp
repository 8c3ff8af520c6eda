#pragma once

/// \file
/// The server's HTTP port: connections, and what a Site answers on them.

#include <cstdint>
#include <memory>
#include <string>

namespace cfd::emulator {

class Site;

/// start and stop belong to one thread.
class WebServer {
 public:
  /// `site` must outlive it.
  explicit WebServer(Site& site);
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

}  // namespace cfd::emulator
