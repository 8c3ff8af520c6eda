#pragma once

/// \file
/// A Pub/Sub server as an administrator sees it, over gRPC; and the servers that the tests run against.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "integration/process.hpp"

namespace cfd::integration {

/// The project of all tests.
inline constexpr std::string_view project = "test-project";

/// A message as pulled.
struct Received {
  std::string ack_id;
  std::string message_id;
  std::string data;
  std::map<std::string, std::string> attributes;
};

/// Thread-safe. Every member throws std::runtime_error with the status where the server refuses.
class PubSub {
 public:
  /// `host`: as in PUBSUB_EMULATOR_HOST. Waits until the server answers.
  explicit PubSub(const std::string& host);
  ~PubSub();

  void create_topic(const std::string& topic);

  /// An empty endpoint makes a pull subscription.
  void create_subscription(const std::string& subscription, const std::string& topic,
                           const std::string& endpoint = "",
                           std::chrono::seconds ack_deadline = std::chrono::seconds(10));

  /// A push subscription that proves its identity with tokens.
  void create_signed_push(const std::string& subscription, const std::string& topic,
                          const std::string& endpoint, const std::string& account,
                          const std::string& audience);

  /// Makes a push subscription one to pull from.
  void stop_pushing(const std::string& subscription);

  /// Keeps what `subscription` has not acknowledged, leased or not, under the name `snapshot`.
  void create_snapshot(const std::string& snapshot, const std::string& subscription);

  /// Has `subscription` deliver what `snapshot` kept; leases end.
  void seek(const std::string& subscription, const std::string& snapshot);

  /// Returns the message id.
  std::string publish(const std::string& topic, const std::string& data,
                      const std::map<std::string, std::string>& attributes = {});

  /// Pulls and acknowledges until `wanted` messages have come, however long that takes within the tests'
  /// patience.
  std::vector<Received> pull(const std::string& subscription, std::size_t wanted);

  /// What one Pull returns within `timeout`, acknowledged; empty where nothing comes.
  std::vector<Received> pull_once(const std::string& subscription, std::chrono::milliseconds timeout);

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

/// The server of this test program: this project's own, or Google's where the environment variable
/// CFD_TEST_SERVER=google asks for it; started at first use and ended with the program.
class Server {
 public:
  /// Throws std::runtime_error where the server cannot be started.
  static Server& instance();

  /// Whether Google's emulator is asked for and not installed.
  static bool is_missing();
  static bool is_google();

  const std::string& host() const noexcept { return host_; }

 private:
  Server();
  TemporaryDirectory directory_;
  std::optional<Process> process_;
  std::string host_;
};

}  // namespace cfd::integration
