#pragma once

/// \file
/// The local Pub/Sub server as a library: google.pubsub.v1 over gRPC, in memory or on disk, up in
/// milliseconds.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cfd::emulator {

class Broker;
class Clock;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: the system chooses; see Server::port
  std::optional<std::uint16_t> http_port =
      {};                           ///< REST, the page and the keys of push tokens; none: not served
  std::string data_directory = {};  ///< where topics, subscriptions and messages are kept; empty: nowhere
  /// Hears, on a thread of the server's, when the data directory begins to refuse what is to be kept, with
  /// the reason, and with an empty text when it takes it again.
  std::function<void(const std::string&)> on_trouble = {};
  /// The server's time, which must outlive it; whoever moves it runs what is due, by broker().scheduler().
  /// Null: the system's.
  const Clock* clock = nullptr;
};

/// start, port and stop belong to one thread; the broker may be used from any.
class Server {
 public:
  /// Throws cfd::Error where there is a data directory that cannot be used.
  explicit Server(ServerOptions options = {});
  ~Server();  ///< stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and serves. Throws cfd::Error, naming the address and the cause, where that fails.
  void start();

  /// The port bound; valid after start().
  std::uint16_t port() const noexcept;

  /// The HTTP port bound, or 0; valid after start().
  std::uint16_t http_port() const noexcept;

  /// host:port, as PUBSUB_EMULATOR_HOST takes it; valid after start().
  std::string host() const;

  /// Ends all calls, streams included, and what is being pushed. Idempotent.
  void stop();

  /// Whether the clock is not the system's.
  bool is_manual() const noexcept;

  /// For setting up topics and subscriptions without a network.
  Broker& broker() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cfd::emulator
