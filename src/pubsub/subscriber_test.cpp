#include "pubsub/subscriber.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pubsub/scripted_subscription.hpp"

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;
using transport::Disposition;

constexpr Backoff quick{1ms, 20ms, 2};

/// A subscriber that runs on a thread of its own until the test ends it.
class Running {
 public:
  Running(const ScriptedSubscription& server, transport::Subscriber::Handler handler, std::size_t threads = 1,
          PullTimes times = {})
      : result_(std::async(std::launch::async, [=, this, endpoint = server.endpoint()] {
          transport::SubscriberConfig config;
          config.subscription = "projects/p/subscriptions/s";
          config.endpoint = endpoint;
          config.insecure = true;
          config.max_concurrent = threads;
          config.max_outstanding = 50;
          return GrpcSubscriber(config, quick, times).run(stop_.get_token(), handler);
        })) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { stop_.request_stop(); }

  std::string stop() {
    stop_.request_stop();
    return result();
  }

  std::string result() {
    if (result_.wait_for(60s) != std::future_status::ready) return "it hangs";
    return result_.get();
  }

  bool ended() { return result_.wait_for(0s) == std::future_status::ready; }

 private:
  std::stop_source stop_;
  std::future<std::string> result_;
};

Disposition acknowledge(const Event&, const std::stop_token&, transport::Lease&) {
  return {true, 0s};
}

TEST(Subscriber, HandsOutTheWholeMessageAndAcknowledgesIt) {
  ScriptedSubscription server;
  std::promise<std::string> seen;
  Running subscriber(server, [&](const Event& e, const std::stop_token&, transport::Lease&) {
    seen.set_value(std::string(e.id) + "|" + std::string(e.publish_time) + "|" + std::string(e.subscription) +
                   "|" + std::string(e.ordering_key) + "|" + std::string(e.data) + "|" +
                   std::string(e.attribute("function")) + "|" + std::to_string(e.delivery_attempt));
    return Disposition{true, 0s};
  });
  server.deliver("7", "key");
  EXPECT_EQ(seen.get_future().get(),
            "7|2020-03-13T22:24:35.095Z|projects/p/subscriptions/s|key|data of 7|f|3");
  EXPECT_TRUE(server.wait_for([&] { return server.acked.count("ack-7") == 1; }));
  ASSERT_EQ(server.first_requests.size(), 1U);
  EXPECT_EQ(server.first_requests[0].subscription(), "projects/p/subscriptions/s");
  EXPECT_EQ(server.first_requests[0].stream_ack_deadline_seconds(), 60);
  EXPECT_EQ(server.first_requests[0].max_outstanding_messages(), 50);
  EXPECT_NE(server.first_requests[0].client_id(), "");
  EXPECT_EQ(subscriber.stop(), "");
}

TEST(Subscriber, StopsAtAnyMomentOfItsStart) {
  const ScriptedSubscription server;
  for (int i = 0; i < 60; ++i) {
    Running subscriber(server, acknowledge);
    std::this_thread::sleep_for(std::chrono::microseconds(200) * (i % 30));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(subscriber.stop(), "");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s) << "it waited for its farewell's end";
  }
}

TEST(Subscriber, HandlesManyOnSeveralThreadsAndAcknowledgesEachOnce) {
  ScriptedSubscription server;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Running subscriber(
      server,
      [&](const Event&, const std::stop_token&, transport::Lease&) {
        const int now = ++running;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --running;
        return Disposition{true, 0s};
      },
      3);
  for (int i = 0; i < 2000; ++i) server.deliver(std::to_string(i));
  EXPECT_TRUE(server.wait_for([&] { return server.acked.size() >= 2000; }));
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(server.acked.count("ack-" + std::to_string(i)), 1U);
  EXPECT_LE(most, 3);
  EXPECT_EQ(subscriber.stop(), "");
}

TEST(Subscriber, GivesBackWhatTheHandlerDoesNotWant) {
  ScriptedSubscription server;
  Running subscriber(server, [](const Event&, const std::stop_token&, transport::Lease&) {
    return Disposition{false, 17s};
  });
  server.deliver("1");
  EXPECT_TRUE(server.wait_for([&] { return server.deadlines.count("ack-1") == 1; }));
  EXPECT_EQ(server.deadlines.find("ack-1")->second, 17);
  EXPECT_EQ(subscriber.stop(), "");
  EXPECT_TRUE(server.acked.empty());
}

TEST(Subscriber, ExtendsTheLeaseWhileAHandlerRuns) {
  ScriptedSubscription server;
  std::promise<void> go;
  Running subscriber(
      server, [&, wait = go.get_future().share()](const Event&, const std::stop_token&, transport::Lease&) {
        wait.wait();
        return Disposition{true, 0s};
      });
  server.deliver("1");
  EXPECT_TRUE(server.wait_for([&] { return server.deadlines.contains("ack-1"); }));
  EXPECT_EQ(server.deadlines.find("ack-1")->second, 60);
  go.set_value();
  EXPECT_TRUE(server.wait_for([&] { return server.acked.count("ack-1") == 1; }));
  EXPECT_EQ(subscriber.stop(), "");
}

class PassingEnd : public testing::TestWithParam<grpc::StatusCode> {};

TEST_P(PassingEnd, OpensTheStreamAgain) {
  ScriptedSubscription server;
  Running subscriber(server, acknowledge);
  server.deliver("1");
  EXPECT_TRUE(server.wait_for([&] { return server.acked.size() == 1; }));
  server.end_stream(grpc::Status(GetParam(), "see you"), 3);
  server.deliver("2");
  EXPECT_TRUE(server.wait_for([&] { return server.acked.size() == 2; }));
  EXPECT_EQ(server.streams, 5);
  EXPECT_EQ(subscriber.stop(), "");
}

INSTANTIATE_TEST_SUITE_P(Subscriber, PassingEnd,
                         testing::Values(grpc::OK, grpc::ABORTED, grpc::DEADLINE_EXCEEDED, grpc::INTERNAL,
                                         grpc::RESOURCE_EXHAUSTED, grpc::UNAVAILABLE, grpc::UNKNOWN));

struct Ending {
  grpc::StatusCode code;
  const char* name;
};

class FinalEnd : public testing::TestWithParam<Ending> {};

TEST_P(FinalEnd, StopsWithTheReason) {
  ScriptedSubscription server;
  Running subscriber(server, acknowledge);
  server.deliver("1");
  EXPECT_TRUE(server.wait_for([&] { return server.acked.size() == 1; }));
  server.end_stream(grpc::Status(GetParam().code, "no more"));
  const std::string reason = subscriber.result();
  EXPECT_THAT(reason, testing::HasSubstr("projects/p/subscriptions/s"));
  EXPECT_THAT(reason, testing::HasSubstr(std::string(GetParam().name) + ": no more"));
  EXPECT_THAT(reason, testing::Not(testing::HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(Subscriber, FinalEnd,
                         testing::Values(Ending{grpc::CANCELLED, "CANCELLED"},
                                         Ending{grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT"},
                                         Ending{grpc::NOT_FOUND, "NOT_FOUND"},
                                         Ending{grpc::PERMISSION_DENIED, "PERMISSION_DENIED"},
                                         Ending{grpc::UNAUTHENTICATED, "UNAUTHENTICATED"},
                                         Ending{grpc::FAILED_PRECONDITION, "FAILED_PRECONDITION"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Subscriber, StopsByLettingHandlersEndAndGivingBackTheRest) {
  ScriptedSubscription server;
  std::promise<void> begun;
  std::promise<void> go;
  Running subscriber(
      server, [&, wait = go.get_future().share()](const Event& e, const std::stop_token&, transport::Lease&) {
        if (e.id == "1") begun.set_value();
        wait.wait();
        return Disposition{true, 0s};
      });
  server.deliver("1");
  begun.get_future().wait();
  server.deliver("2");
  server.deliver("3");
  std::thread release([&] {
    EXPECT_TRUE(server.wait_for(
        [&] { return server.deadlines.count("ack-2") + server.deadlines.count("ack-3") == 2; }));
    go.set_value();
  });
  EXPECT_EQ(subscriber.stop(), "");
  release.join();
  EXPECT_EQ(server.acked, (std::multiset<std::string>{"ack-1"}));
  EXPECT_EQ(server.deadlines.find("ack-2")->second, 0);
}

TEST(Subscriber, StopsWhereNobodyAnswers) {
  transport::SubscriberConfig config;
  config.subscription = "projects/p/subscriptions/s";
  config.endpoint = "localhost:1";
  config.insecure = true;
  std::stop_source stop;
  auto result = std::async(std::launch::async,
                           [&] { return GrpcSubscriber(config, quick).run(stop.get_token(), acknowledge); });
  EXPECT_EQ(result.wait_for(100ms), std::future_status::timeout);
  stop.request_stop();
  ASSERT_EQ(result.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(result.get(), "");
}

TEST(Subscriber, KeepsTheOrderOfAKeyOnManyThreads) {
  ScriptedSubscription server;
  std::mutex mutex;
  std::map<std::string, std::vector<int>> seen;
  Running subscriber(
      server,
      [&](const Event& e, const std::stop_token&, transport::Lease&) {
        const std::lock_guard lock(mutex);
        seen[std::string(e.ordering_key)].push_back(std::stoi(std::string(e.id)));
        return Disposition{true, 0s};
      },
      4);
  for (int i = 0; i < 900; ++i) server.deliver(std::to_string(i), "key" + std::to_string(i % 3));
  EXPECT_TRUE(server.wait_for([&] { return server.acked.size() == 900; }));
  EXPECT_EQ(subscriber.stop(), "");
  ASSERT_EQ(seen.size(), 3U);
  for (const auto& [key, ids] : seen) {
    EXPECT_EQ(ids.size(), 300U);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end())) << key;
  }
}

TEST(Subscriber, HonoursExactlyOnceDelivery) {
  ScriptedSubscription server;
  server.exactly_once = true;
  Running subscriber(server, acknowledge);
  v1::StreamingPullResponse properties;
  properties.mutable_subscription_properties()->set_exactly_once_delivery_enabled(true);
  server.send(properties);
  for (int i = 0; i < 300; ++i) server.deliver(std::to_string(i));
  EXPECT_TRUE(server.wait_for([&] { return server.acked.size() == 300; }));
  EXPECT_EQ(server.deadlines.size(), 300U);
  EXPECT_EQ(subscriber.stop(), "");
}

TEST(Subscriber, StopsAFunctionWhoseLeaseIsLostAndNotTheNext) {
  ScriptedSubscription server;
  server.exactly_once = true;
  std::promise<void> begun;
  std::atomic<bool> first_stopped = false;
  std::atomic<bool> second_stopped = false;
  Running subscriber(server, [&](const Event& e, const std::stop_token& lost, transport::Lease&) {
    if (e.id == "2") {
      second_stopped = lost.stop_requested();
      return Disposition{true, 0s};
    }
    begun.set_value();
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, lost, 60s, [] { return false; });
    first_stopped = lost.stop_requested();
    return Disposition{true, 0s};
  });
  v1::StreamingPullResponse properties;
  properties.mutable_subscription_properties()->set_exactly_once_delivery_enabled(true);
  server.send(properties);
  server.deliver("1");
  begun.get_future().wait();
  v1::StreamingPullResponse refusal;
  refusal.mutable_modify_ack_deadline_confirmation()->add_invalid_ack_ids("ack-1");
  server.send(refusal);
  server.deliver("2");
  EXPECT_TRUE(server.wait_for([&] { return server.acked.count("ack-2") == 1; }));
  EXPECT_EQ(subscriber.stop(), "");
  EXPECT_TRUE(first_stopped);
  EXPECT_FALSE(second_stopped);
  EXPECT_EQ(server.acked.count("ack-1"), 0U);
}

TEST(Subscriber, SendsKeepAlivesWhileItIsIdle) {
  ScriptedSubscription server;
  PullTimes times;
  times.keep_alive = 20ms;
  times.idle_tick = 10ms;
  Running subscriber(server, acknowledge, 1, times);
  EXPECT_TRUE(server.wait_for([&] { return server.empty_requests >= 3; }));
  EXPECT_EQ(subscriber.stop(), "");
}

TEST(Subscriber, NeverTrustsASilentStreamForEver) {
  ScriptedSubscription server;
  PullTimes times;
  times.silent = 50ms;
  times.idle_tick = 10ms;
  Running subscriber(server, acknowledge, 1, times);
  EXPECT_TRUE(server.wait_for([&] { return server.streams >= 3; }));
  EXPECT_FALSE(subscriber.ended());
  EXPECT_EQ(subscriber.stop(), "");
}

}  // namespace
}  // namespace cfd::pubsub
