#include "pubsub/publisher.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/call.hpp>
#include <cfd/detail/function.hpp>
#include <cfd/error.hpp>
#include <cfd/options.hpp>

#include "pubsub/scripted_server.hpp"

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;
using WhenFull = transport::PublisherConfig::WhenFull;

constexpr Backoff quick{1ms, 20ms, 2};

transport::PublisherConfig config_for(const ScriptedServer& server) {
  transport::PublisherConfig config;
  config.topic = "projects/p/topics/t";
  config.endpoint = server.endpoint();
  config.insecure = true;
  return config;
}

Call publish(transport::Publisher& publisher, std::string_view data, std::string_view key = {}) {
  auto state = std::make_shared<detail::CallState>("0123456789abcdef0123456789abcdef");
  const std::array<Attribute, 1> attributes{{{"function", "f"}}};
  publisher.publish({data, attributes, key}, state);
  return Call(state);
}

/// The code a call failed with, or "OK".
std::string outcome(const Call& call) {
  try {
    call.wait_for(60s);
    return "OK";
  } catch (const PublishError& e) {
    return e.code();
  }
}

/// Holds requests back until it is opened.
class Gate {
 public:
  void pass() { open_.wait(); }
  void open() { promise_.set_value(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> open_ = promise_.get_future().share();
};

TEST(Publisher, ConfirmsALoneCallWithItsMessageId) {
  const ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  EXPECT_EQ(publish(publisher, "hello").wait_for(60s), "id-hello");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].topic(), "projects/p/topics/t");
  EXPECT_EQ(requests[0].messages(0).attributes().at("function"), "f");
}

TEST(Publisher, FillsBatchesWhileRequestsAreUnderWayAndMixesNothingUp) {
  Gate gate;
  ScriptedServer server([&](const auto&) {
    gate.pass();
    return grpc::Status::OK;
  });
  GrpcPublisher publisher(config_for(server));
  std::vector<Call> calls;
  for (int i = 0; i < 5000; ++i) calls.push_back(publish(publisher, std::to_string(i)));
  gate.open();
  for (int i = 0; i < 5000; ++i)
    ASSERT_EQ(calls[static_cast<std::size_t>(i)].wait_for(60s), "id-" + std::to_string(i));
  EXPECT_LE(server.requests().size(), 25U);
}

class RetriedCode : public testing::TestWithParam<grpc::StatusCode> {};

TEST_P(RetriedCode, IsTriedAgainUntilItSucceeds) {
  std::atomic<int> attempts = 0;
  ScriptedServer server(
      [&](const auto&) { return ++attempts < 4 ? grpc::Status(GetParam(), "try again") : grpc::Status::OK; });
  GrpcPublisher publisher(config_for(server), quick);
  EXPECT_EQ(publish(publisher, "x").wait_for(60s), "id-x");
  EXPECT_EQ(attempts, 4);
}

INSTANTIATE_TEST_SUITE_P(Publisher, RetriedCode,
                         testing::Values(grpc::ABORTED, grpc::CANCELLED, grpc::INTERNAL,
                                         grpc::RESOURCE_EXHAUSTED, grpc::UNKNOWN, grpc::UNAVAILABLE,
                                         grpc::DEADLINE_EXCEEDED));

struct Permanent {
  grpc::StatusCode code;
  const char* name;
};

class PermanentCode : public testing::TestWithParam<Permanent> {};

TEST_P(PermanentCode, FailsTheCallAtOnceByName) {
  ScriptedServer server([](const auto&) { return grpc::Status(GetParam().code, "no good"); });
  GrpcPublisher publisher(config_for(server), quick);
  const Call call = publish(publisher, "x");
  try {
    call.wait_for(60s);
    FAIL() << "confirmed";
  } catch (const PublishError& e) {
    EXPECT_EQ(e.code(), GetParam().name);
    EXPECT_THAT(e.what(), testing::HasSubstr("no good"));
  }
  EXPECT_EQ(server.requests().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Publisher, PermanentCode,
                         testing::Values(Permanent{grpc::NOT_FOUND, "NOT_FOUND"},
                                         Permanent{grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT"},
                                         Permanent{grpc::PERMISSION_DENIED, "PERMISSION_DENIED"},
                                         Permanent{grpc::UNAUTHENTICATED, "UNAUTHENTICATED"},
                                         Permanent{grpc::FAILED_PRECONDITION, "FAILED_PRECONDITION"},
                                         Permanent{grpc::UNIMPLEMENTED, "UNIMPLEMENTED"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Publisher, FailsExactlyTheMessageThatIsRefused) {
  Gate gate;
  ScriptedServer server([&](const v1::PublishRequest& request) {
    if (request.messages(0).data() == "first") gate.pass();
    for (const auto& message : request.messages())
      if (message.data() == "bad") return grpc::Status(grpc::INVALID_ARGUMENT, "bad message");
    return grpc::Status::OK;
  });
  GrpcPublisher publisher(config_for(server), quick);
  std::vector<Call> calls;
  calls.push_back(publish(publisher, "first"));
  for (int i = 1; i < 200; ++i) calls.push_back(publish(publisher, i == 77 || i == 150 ? "bad" : "good"));
  gate.open();
  for (std::size_t i = 0; i < calls.size(); ++i)
    EXPECT_EQ(outcome(calls[i]), i == 77 || i == 150 ? "INVALID_ARGUMENT" : "OK") << i;
}

TEST(Publisher, FailsACallAtItsDeadlineAndSaysWhatWentWrong) {
  ScriptedServer server([](const auto&) { return grpc::Status(grpc::UNAVAILABLE, "gone fishing"); });
  auto config = config_for(server);
  config.publish_timeout = 300ms;
  GrpcPublisher publisher(config, quick);
  const auto start = Clock::now();  // NOLINT(clang-analyzer-deadcode.DeadStores): read at the end
  try {
    publish(publisher, "x").wait_for(60s);
    FAIL() << "confirmed";
  } catch (const PublishError& e) {
    EXPECT_EQ(e.code(), "DEADLINE_EXCEEDED");
    EXPECT_THAT(e.what(), testing::HasSubstr("gone fishing"));
  }
  EXPECT_GE(Clock::now() - start, 290ms);
}

TEST(Publisher, FailsACallThatIsNeverAnswered) {
  Gate gate;
  ScriptedServer server([&](const auto&) {
    gate.pass();
    return grpc::Status::OK;
  });
  auto config = config_for(server);
  config.publish_timeout = 300ms;
  GrpcPublisher publisher(config, quick);
  EXPECT_EQ(outcome(publish(publisher, "x")), "DEADLINE_EXCEEDED");
  gate.open();
}

TEST(Publisher, GoesOnWhenTheServerComesBack) {
  ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  EXPECT_EQ(outcome(publish(publisher, "before")), "OK");
  server.stop();
  std::vector<Call> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(publish(publisher, "meanwhile"));
  EXPECT_THROW(calls.front().wait_for(50ms), TimeoutError);
  server.start();
  for (const Call& call : calls) EXPECT_EQ(outcome(call), "OK");
  EXPECT_EQ(outcome(publish(publisher, "after")), "OK");
}

TEST(Publisher, RefusesAnAnswerWithoutTheIds) {
  ScriptedServer server;
  server.ids_withheld = 1;
  GrpcPublisher publisher(config_for(server), quick);
  EXPECT_EQ(outcome(publish(publisher, "x")), "INTERNAL");
}

TEST(Publisher, SendsAMessageOfNearlyTenMegabytesAndRefusesALargerOne) {
  const ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  EXPECT_EQ(outcome(publish(publisher, std::string(9'999'000, 'x'))), "OK");
  EXPECT_EQ(server.accepted().at(0).size(), 9'999'000U);
  EXPECT_THROW(publish(publisher, std::string(10'000'000, 'x')), PublishError);
}

// ---- A full queue

struct FullQueue {
  Gate gate;
  ScriptedServer server{[this](const auto&) {
    gate.pass();
    return grpc::Status::OK;
  }};

  transport::PublisherConfig config(WhenFull when_full) const {
    auto c = config_for(server);
    c.max_pending = 10;
    c.when_full = when_full;
    return c;
  }
};

TEST(FullQueue, Fails) {
  FullQueue full;
  GrpcPublisher publisher(full.config(WhenFull::fail));
  for (int i = 0; i < 10; ++i) publish(publisher, "x");
  try {
    publish(publisher, "x");
    FAIL() << "accepted";
  } catch (const PublishError& e) {
    EXPECT_EQ(e.code(), "RESOURCE_EXHAUSTED");
  }
  full.gate.open();
  EXPECT_EQ(publisher.flush(Clock::now() + 60s), 0U);
  EXPECT_EQ(outcome(publish(publisher, "x")), "OK");
}

TEST(FullQueue, Drops) {
  FullQueue full;
  GrpcPublisher publisher(full.config(WhenFull::drop));
  std::vector<Call> calls;
  for (int i = 0; i < 15; ++i) calls.push_back(publish(publisher, "x"));
  for (std::size_t i = 10; i < 15; ++i) EXPECT_EQ(outcome(calls[i]), "RESOURCE_EXHAUSTED");
  full.gate.open();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(outcome(calls[i]), "OK");
  EXPECT_EQ(full.server.accepted().size(), 10U);
}

TEST(FullQueue, BlocksUntilThereIsRoom) {
  FullQueue full;
  GrpcPublisher publisher(full.config(WhenFull::block));
  for (int i = 0; i < 10; ++i) publish(publisher, "x");
  std::atomic<bool> published = false;
  std::thread blocked([&] {
    const Call call = publish(publisher, "y");
    published = true;
    EXPECT_EQ(outcome(call), "OK");
  });
  EXPECT_EQ(publisher.flush(Clock::now() + 50ms), 10U);
  EXPECT_FALSE(published);
  full.gate.open();
  blocked.join();
}

TEST(FullQueue, BlocksAtMostForTheCallsDeadline) {
  FullQueue full;
  auto config = full.config(WhenFull::block);
  config.publish_timeout = 200ms;
  config.max_pending = 0;  // one message is always taken
  GrpcPublisher publisher(config);
  const Call first = publish(publisher, "x");
  try {
    publish(publisher, "y");
    // The first call's own deadline may make room just in time.
    EXPECT_TRUE(first.done());
  } catch (const PublishError& e) {
    EXPECT_EQ(e.code(), "DEADLINE_EXCEEDED");
  }
  full.gate.open();
}

TEST(FullQueue, IsCountedInBytesToo) {
  FullQueue full;
  auto config = full.config(WhenFull::fail);
  config.max_pending = 1000;
  config.max_pending_bytes = 10'000;
  GrpcPublisher publisher(config);
  publish(publisher, std::string(6000, 'x'));
  EXPECT_THROW(publish(publisher, std::string(6000, 'x')), PublishError);
  publish(publisher, std::string(1000, 'x'));
  full.gate.open();
}

// ---- Ordering keys

TEST(OrderingKey, KeepsTheOrderThroughFailures) {
  std::atomic<int> request_number = 0;
  ScriptedServer server([&](const v1::PublishRequest& request) {
    for (const auto& message : request.messages())
      EXPECT_EQ(message.ordering_key(), request.messages(0).ordering_key());
    return ++request_number % 3 == 0 ? grpc::Status(grpc::UNAVAILABLE, "shaky") : grpc::Status::OK;
  });
  GrpcPublisher publisher(config_for(server), quick);
  const std::array<std::string, 3> keys{"a", "b", "c"};
  for (int i = 0; i < 600; ++i) {
    const std::string& key = keys[static_cast<std::size_t>(i) % 3];
    publish(publisher, key + std::to_string(1000 + i), key);
  }
  ASSERT_EQ(publisher.flush(Clock::now() + 60s), 0U);
  std::map<char, std::string> last;
  for (const std::string& data : server.accepted()) {
    EXPECT_LT(last[data[0]], data);
    last[data[0]] = data;
  }
  EXPECT_EQ(server.accepted().size(), 600U);
}

TEST(OrderingKey, StopsAfterAFailureUntilItIsResumed) {
  std::atomic<bool> broken = true;
  ScriptedServer server([&](const v1::PublishRequest& request) {
    return broken && request.messages(0).ordering_key() == "k" ? grpc::Status(grpc::PERMISSION_DENIED, "no")
                                                               : grpc::Status::OK;
  });
  GrpcPublisher publisher(config_for(server), quick);
  EXPECT_EQ(outcome(publish(publisher, "1", "k")), "PERMISSION_DENIED");
  broken = false;
  EXPECT_EQ(outcome(publish(publisher, "2", "k")), "FAILED_PRECONDITION");
  EXPECT_EQ(outcome(publish(publisher, "3", "l")), "OK");
  EXPECT_EQ(outcome(publish(publisher, "4")), "OK");
  publisher.resume("k");
  EXPECT_EQ(outcome(publish(publisher, "5", "k")), "OK");
  EXPECT_THAT(server.accepted(), testing::UnorderedElementsAre("3", "4", "5"));
}

// ---- The hook of failed calls

/// Set by each test; the option itself cannot be unset.
std::function<void(const FailedCall&)> on_failed_call;

class FailedCallHook : public testing::Test {
 protected:
  FailedCallHook() {
    configure({.on_failed_call = [](const FailedCall& failed) {
      if (on_failed_call) on_failed_call(failed);
    }});
    function_.name = "images.resize";
  }
  void TearDown() override { on_failed_call = {}; }

  Call call(transport::Publisher& publisher, std::string_view data, std::string_view key = {}) {
    auto state = detail::make_call_state("0123456789abcdef0123456789abcdef", &function_);
    publisher.publish({data, {}, key}, state);
    return Call(state);
  }

 private:
  detail::Function function_;
};

TEST_F(FailedCallHook, HearsOfWhatIsRefusedLateDroppedAndStopped) {
  ScriptedServer server([](const v1::PublishRequest& request) {
    return request.messages(0).data() == "late" ? grpc::Status(grpc::UNAVAILABLE, "gone fishing")
                                                : grpc::Status(grpc::NOT_FOUND, "no such topic");
  });
  auto config = config_for(server);
  config.publish_timeout = 300ms;
  config.max_pending = 1;
  config.when_full = WhenFull::drop;
  std::mutex mutex;
  std::vector<std::string> codes;
  on_failed_call = [&](const FailedCall& failed) {
    const std::scoped_lock lock(mutex);
    codes.emplace_back(failed.code);
  };
  GrpcPublisher publisher(config, quick);
  const Call late = call(publisher, "late");
  EXPECT_EQ(outcome(call(publisher, "dropped")), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(outcome(late), "DEADLINE_EXCEEDED");
  ASSERT_EQ(publisher.flush(Clock::now() + 60s), 0U);
  EXPECT_EQ(outcome(call(publisher, "refused", "k")), "NOT_FOUND");
  ASSERT_EQ(publisher.flush(Clock::now() + 60s), 0U);
  EXPECT_EQ(outcome(call(publisher, "stopped", "k")), "FAILED_PRECONDITION");
  EXPECT_THAT(codes, testing::ElementsAre("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "NOT_FOUND",
                                          "FAILED_PRECONDITION"));
}

TEST_F(FailedCallHook, MayCallAgainAndNeverWaitsForItself) {
  ScriptedServer server([](const v1::PublishRequest& request) {
    return request.messages(0).data() == "bad" ? grpc::Status(grpc::NOT_FOUND, "no such topic")
                                               : grpc::Status::OK;
  });
  auto config = config_for(server);
  config.max_pending = 2;
  GrpcPublisher publisher(config, quick);
  std::promise<std::string> thrown;
  std::optional<Call> again;
  on_failed_call = [&](const FailedCall&) {
    // The failed call still counts, so that there is room for one: by its hook's end there is for two.
    again = call(publisher, "again");
    EXPECT_NE(publisher.flush(Clock::now() + 60s), 0U);
    try {
      call(publisher, "one too many");
      thrown.set_value("nothing");
    } catch (const PublishError& e) {
      thrown.set_value(e.code());
    }
  };
  const Call bad = call(publisher, "bad");
  EXPECT_EQ(thrown.get_future().get(), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(outcome(bad), "NOT_FOUND");
  EXPECT_EQ(outcome(*again), "OK");
}

}  // namespace
}  // namespace cfd::pubsub
