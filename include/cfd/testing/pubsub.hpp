#pragma once

/// \file
/// A Pub/Sub server within a test program, for code that talks to Pub/Sub by whatever client: up in
/// milliseconds on a port of its own, set up and looked into by calls, with failures on demand and, if
/// wanted, a clock that only the test moves. Link cfd::testing_pubsub.
///
///     cfd::testing::PubSub pubsub;
///     pubsub.create_topic("orders");
///     pubsub.create_subscription("worker", "orders");
///     setenv("PUBSUB_EMULATOR_HOST", pubsub.host().c_str(), 1);
///     ...
///     pubsub.fail_next("Publish", 14, 2);  // UNAVAILABLE, twice

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cfd::testing {

/// How a subscription of a PubSub behaves; what is not said is as Pub/Sub has it.
struct SubscriptionOptions {
  std::chrono::seconds ack_deadline{10};
  std::string filter = {};
  std::string push_endpoint = {};
  bool exactly_once = false;
  bool ordered = false;
  std::string dead_letter_topic = {};  ///< must exist
  int max_delivery_attempts = 5;       ///< with a dead-letter topic
  std::chrono::milliseconds minimum_backoff{
      0};  ///< zero, for both: a message that failed comes again at once
  std::chrono::milliseconds maximum_backoff{0};
};

/// A message as pulled.
struct PulledMessage {
  std::string id;
  std::string data;
  std::map<std::string, std::string> attributes;
  std::string ordering_key;
  std::string ack_id;
  int delivery_attempt = 0;  ///< 1 for the first; 0 without a dead-letter topic
};

/// Names are short ones, completed with the project, or full ones. Every member throws Error with the
/// server's reason where it refuses. Thread-safe.
class PubSub {
 public:
  enum class Time : std::uint8_t {
    real,
    manual,  ///< stands still but for advance(), and with it deadlines, backoff, retention and delays
  };

  /// Listens on 127.0.0.1, on a port that the system chooses.
  explicit PubSub(Time time = Time::real, std::string project = "test-project");
  ~PubSub();
  PubSub(const PubSub&) = delete;
  PubSub& operator=(const PubSub&) = delete;

  /// host:port, as PUBSUB_EMULATOR_HOST takes it.
  std::string host() const;

  void create_topic(const std::string& topic);
  void create_subscription(const std::string& subscription, const std::string& topic,
                           const SubscriptionOptions& options = {});

  /// Returns the message's id.
  std::string publish(const std::string& topic, const std::string& data,
                      const std::map<std::string, std::string>& attributes = {},
                      const std::string& ordering_key = {});

  /// What is there now, up to `limit`; does not wait.
  std::vector<PulledMessage> pull(const std::string& subscription, std::size_t limit = 1000);
  void acknowledge(const std::string& subscription, const PulledMessage& message);
  /// Gives a message back.
  void nack(const std::string& subscription, const PulledMessage& message);

  /// How many messages are not acknowledged, those out included.
  std::size_t backlog(const std::string& subscription) const;

  // Faults of clients' next calls of Publish, Pull, StreamingPull, Acknowledge or ModifyAckDeadline. They do
  // not touch this object's own members. Faults of one method are used up in the order in which they were
  // asked for.

  /// The next `count` calls end with this status code of gRPC's.
  void fail_next(const std::string& method, int code, std::uint32_t count = 1);
  /// The next `count` calls wait first.
  void delay_next(const std::string& method, std::chrono::milliseconds delay, std::uint32_t count = 1);
  /// What the next `count` calls of Publish bring is delivered twice.
  void duplicate_next(std::uint32_t count = 1);
  /// The next `count` calls are held until all of them have come, and then go on, the last one first.
  void reorder_next(const std::string& method, std::uint32_t count);
  /// No more faults; what is held goes on.
  void clear_faults();

  /// Moves the clock, and does what is due by then. Throws Error where the time is real.
  void advance(std::chrono::milliseconds by);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cfd::testing
