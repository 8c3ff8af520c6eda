#pragma once

/// \file
/// What carries messages: the two interfaces between the call path and a Pub/Sub, and how a program gets one.
/// Implemented by src/pubsub (gRPC) and by memory.cpp (unit tests).

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include <cfd/event.hpp>

#include "transport/call_state.hpp"

namespace cfd::transport {

using Clock = std::chrono::steady_clock;

/// A message to publish. Views; the publisher copies what it needs before publish() returns.
struct Outgoing {
  std::string_view data;
  std::span<const Attribute> attributes;
  std::string_view ordering_key;
};

/// Publishes to one topic. Thread-safe.
class Publisher {
 public:
  virtual ~Publisher() = default;

  /// Queues a message and returns at once; `call` is confirmed or failed later, exactly once, whatever
  /// happens. Where the queue is full, does what the setting `when_full` says; throws PublishError where that
  /// is to fail.
  virtual void publish(const Outgoing& message, detail::CallStatePtr call) = 0;

  /// Waits until every message queued before is confirmed or failed. Returns how many are still unresolved.
  virtual std::size_t flush(Clock::time_point deadline) = 0;

  /// Stops: sends what is queued until `deadline`, then fails the rest with CANCELLED and returns their
  /// number. publish() afterwards throws PublishError. Idempotent.
  virtual std::size_t close(Clock::time_point deadline) = 0;

  /// Lets calls with this ordering key through again, after a failure made the publisher refuse them.
  virtual void resume(std::string_view ordering_key) { (void)ordering_key; }

  /// As resume(), for every key.
  virtual void resume_all() {}
};

/// Where a publisher sends.
struct PublisherConfig {
  std::string topic;      ///< full name, projects/P/topics/T
  std::string endpoint;   ///< host:port
  bool insecure = false;  ///< plain text, for a local server; else TLS with Application Default Credentials
  std::chrono::milliseconds publish_timeout{60'000};
  std::size_t max_pending = 1'000'000;
  std::size_t max_pending_bytes = 32U << 20U;
  enum class WhenFull : std::uint8_t { block, fail, drop } when_full = WhenFull::block;
};

/// What a subscriber's handler decides about one message.
struct Disposition {
  bool ack = false;
  std::chrono::seconds redeliver_after{0};  ///< with ack == false
};

/// The hold on a message while its handler runs: it is extended for as long as that takes.
class Lease {
 public:
  /// Extends it no more. What is left of it, at most a minute, is the time that the handler has to end before
  /// the message goes to another. Thread-safe.
  virtual void let_go() noexcept = 0;

 protected:
  Lease() = default;
  Lease(const Lease&) = default;
  Lease& operator=(const Lease&) = default;
  ~Lease() = default;
};

/// Pulls from one subscription.
class Subscriber {
 public:
  /// Called on many threads at once, at most `max_concurrent` of them; never throws. The token fires where
  /// the lease has ended, and where run() is asked to stop.
  using Handler = std::function<Disposition(const Event&, std::stop_token, Lease&)>;

  virtual ~Subscriber() = default;

  /// Pulls and handles until `stop` is requested, then lets running handlers end, sends their
  /// acknowledgements, gives back what was not started, and returns empty. Returns the reason, one line,
  /// where the service ends it for good.
  virtual std::string run(std::stop_token stop, const Handler& handler) = 0;
};

struct SubscriberConfig {
  std::string subscription;  ///< full name, projects/P/subscriptions/S
  std::string endpoint;
  bool insecure = false;
  std::size_t max_concurrent = 1;      ///< handlers at once
  std::size_t max_outstanding = 1000;  ///< messages held, handled or not
  std::size_t max_outstanding_bytes = 100U << 20U;
};

/// A way to reach Pub/Sub, linked into the program or not: a worker that only takes pushes links none.
struct Backend {
  std::unique_ptr<Publisher> (*make_publisher)(const PublisherConfig&) = nullptr;
  std::unique_ptr<Subscriber> (*make_subscriber)(const SubscriberConfig&) = nullptr;
};

/// Called once by the linked backend's static initializer (src/pubsub/backend.cpp).
void set_backend(Backend backend) noexcept;

/// The linked backend; its members are null where the program links none.
Backend backend() noexcept;

}  // namespace cfd::transport
