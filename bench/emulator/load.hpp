#pragma once

/// \file
/// The raw gRPC client that measures a Pub/Sub server: requests made beforehand, answers barely read.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace bench {

/// Talks to one server. Throws std::runtime_error where a call fails.
class Load {
 public:
  explicit Load(const std::string& host);
  ~Load();

  /// Waits until the server answers a first call, and returns how long from `start` on that took.
  std::chrono::duration<double> first_answer(std::chrono::steady_clock::time_point start);

  /// Creates topic `name`, and a subscription of the same name.
  void create(const std::string& name, bool with_subscription);

  /// Publishes `requests` requests of `batch` messages of `bytes` bytes, `in_flight` of them at once.
  /// Messages a second.
  double publish(const std::string& topic, std::size_t requests, std::size_t batch, std::size_t bytes,
                 std::size_t in_flight);

  /// Pulls and acknowledges `count` messages on one stream. Messages a second.
  double stream(const std::string& subscription, std::size_t count);

  /// Publishes `samples` messages one by one while a stream is open, and returns the median time to delivery.
  std::chrono::duration<double, std::micro> delivery(const std::string& name, std::size_t samples);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Serves Publish on `port` and stores nothing: parses, counts, and answers with as many ids. Never returns.
void run_sink(int port);

}  // namespace bench
