#pragma once

/// \file
/// The fixture of the tests that show the whole: a topic, a worker behind a subscription to it, and callers;
/// each a process of its own, against a real server.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "integration/process.hpp"
#include "integration/pubsub.hpp"

namespace cfd::integration {

enum class Delivery { push, pull };

class Deployment : public testing::TestWithParam<Delivery> {
 protected:
  void SetUp() override;

  /// Starts a worker and, the first time, creates the subscription that reaches it. A worker after the first
  /// takes the first one's place: by push it listens on the same port.
  Process& start_worker(const Environment& extra = {}, const std::string& program = CFD_TEST_WORKER);

  /// Runs the tests' caller to its end and returns its exit status.
  int call(const std::string& function, const std::string& argument, const Environment& extra = {}) {
    return run_caller({CFD_TEST_CALLER, function, argument}, extra);
  }

  /// The same with another program.
  int run_caller(const std::vector<std::string>& command, const Environment& extra = {});

  /// What the last caller printed.
  const std::string& caller_output() const { return caller_output_; }

  /// The settings of a caller or a worker on this test's topic.
  Environment settings() const;

  /// Ends the workers and returns what the subscription still holds: what was never acknowledged.
  std::vector<Received> unacknowledged(std::size_t wanted);

  PubSub& pubsub() { return *pubsub_; }
  const std::string& topic() const { return topic_; }
  const std::string& subscription() const { return topic_; }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
  std::optional<PubSub> pubsub_;
  std::string topic_;
  std::string port_;
  std::vector<std::unique_ptr<Process>> workers_;
  std::string caller_output_;
};

/// Names the cases of a suite.
inline std::string delivery_name(const testing::TestParamInfo<Delivery>& info) {
  return info.param == Delivery::push ? "push" : "pull";
}

}  // namespace cfd::integration
