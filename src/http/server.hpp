#pragma once

/// \file
/// The HTTP entry point of a cloud function: a server on Boost.Beast that turns requests into Events.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <cfd/event.hpp>

#include "http/authenticator.hpp"

namespace cfd::http {

struct ServerOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 8080;  ///< 0: the system chooses; see Server::port
  std::size_t threads = 1;    ///< functions that run at once; I/O has a thread of its own
  std::size_t queue =
      0;  ///< requests that may wait for a thread before the answer is 429; 0: as many as threads
  std::shared_ptr<Authenticator> authenticator = nullptr;  ///< null: whoever reaches the port may call
  std::size_t body_limit = 20U << 20U;     ///< bytes; a 10 MB message is 13.4 MB in base64, plus attributes
  std::size_t header_limit = 64U << 10U;   ///< bytes of a request's line and header fields
  std::size_t memory_limit = 512U << 20U;  ///< bytes of all bodies held at once; above it the answer is 503
  std::size_t connections = 4096;          ///< held at once; above it, connections wait to be accepted
  std::chrono::milliseconds read_timeout{30'000};  ///< for a whole request, from its first byte
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds idle_timeout{
      620'000};  ///< above the 600 s that Google's front ends keep idle connections
};

/// Runs on threads of its own. start, port and stop belong to one thread.
class Server {
 public:
  /// Called on a function thread; never throws.
  using Handler = std::function<Outcome(const Event&, std::stop_token)>;

  Server(ServerOptions options, Handler handler);
  ~Server();  ///< stops at once
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and listens. Throws Error, naming address, port and cause, where that fails.
  void start();

  /// The port bound; valid after start().
  std::uint16_t port() const noexcept;

  /// Accepts no more, lets running functions end and answers them; at `deadline` asks them to stop by their
  /// token and closes what is left. Returns whether all had ended.
  bool stop(std::chrono::steady_clock::time_point deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cfd::http
