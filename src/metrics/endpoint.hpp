#pragma once

/// \file
/// Where Prometheus finds the numbers: `GET /metrics` on a port of its own, so that neither a full pool nor
/// the proof of identity of pushes stands before it.

#include <cstdint>
#include <string>
#include <thread>

namespace cfd::metrics {

/// Serves from construction to destruction, on one thread, one request after the other, and gives each two
/// seconds: scrapers are few, and a slow one delays only the others.
class Endpoint {
 public:
  /// Listens on all addresses; port 0 lets the system choose. Throws Error naming port and cause.
  explicit Endpoint(std::uint16_t port);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  std::uint16_t port() const noexcept { return port_; }

 private:
  void serve() const;

  int listener_ = -1;
  int ending_ = -1;  // an eventfd, readable once the thread is to end
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace cfd::metrics
