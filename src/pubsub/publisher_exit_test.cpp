// The ways in which a publisher ends: flushed, closed, destroyed, forked, or taken down with the program.

#include <array>
#include <cstdlib>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/call.hpp>
#include <cfd/error.hpp>

#include "pubsub/publisher.hpp"
#include "pubsub/scripted_server.hpp"

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;

/// Nothing listens on port 1.
transport::PublisherConfig dead_broker() {
  transport::PublisherConfig config;
  config.topic = "projects/p/topics/t";
  config.endpoint = "localhost:1";
  config.insecure = true;
  return config;
}

transport::PublisherConfig config_for(const ScriptedServer& server) {
  auto config = dead_broker();
  config.endpoint = server.endpoint();
  return config;
}

Call publish(transport::Publisher& publisher, std::string_view data) {
  auto state = std::make_shared<detail::CallState>("0123456789abcdef0123456789abcdef");
  publisher.publish({data, {}, {}}, state);
  return Call(state);
}

std::string outcome(const Call& call) {
  try {
    call.wait_for(60s);
    return "OK";
  } catch (const PublishError& e) {
    return e.code();
  }
}

TEST(PublisherExit, FlushWaitsForEveryConfirmation) {
  const ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  std::vector<Call> calls;
  for (int i = 0; i < 10'000; ++i) calls.push_back(publish(publisher, "x"));
  EXPECT_EQ(publisher.flush(Clock::now() + 60s), 0U);
  for (const Call& call : calls) ASSERT_TRUE(call.done());
  EXPECT_EQ(server.accepted().size(), 10'000U);
}

TEST(PublisherExit, FlushOfAnIdlePublisherReturnsAtOnce) {
  const ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  EXPECT_EQ(publisher.flush(Clock::now() + 60s), 0U);
  EXPECT_EQ(publisher.close(Clock::now() + 60s), 0U);
  EXPECT_EQ(publisher.close(Clock::now()), 0U);
}

TEST(PublisherExit, CloseSendsWhatIsQueued) {
  const ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  for (int i = 0; i < 10'000; ++i) publish(publisher, "x");
  EXPECT_EQ(publisher.close(Clock::now() + 60s), 0U);
  EXPECT_EQ(server.accepted().size(), 10'000U);
  EXPECT_THROW(publish(publisher, "late"), PublishError);
}

TEST(PublisherExit, UnderADeadBrokerNothingHangsAndEveryCallIsTold) {
  GrpcPublisher publisher(dead_broker());
  std::vector<Call> calls;
  for (int i = 0; i < 3000; ++i) calls.push_back(publish(publisher, "x"));
  EXPECT_EQ(publisher.flush(Clock::now() + 50ms), 3000U);
  EXPECT_EQ(publisher.close(Clock::now() + 50ms), 3000U);
  for (const Call& call : calls) ASSERT_EQ(outcome(call), "CANCELLED");
}

TEST(PublisherExit, DestructionUnderADeadBrokerTellsEveryCall) {
  std::vector<Call> calls;
  {
    GrpcPublisher publisher(dead_broker());
    for (int i = 0; i < 3000; ++i) calls.push_back(publish(publisher, "x"));
  }
  for (const Call& call : calls) ASSERT_EQ(outcome(call), "CANCELLED");
}

TEST(PublisherExit, CloseReleasesACallerThatIsBlocked) {
  auto config = dead_broker();
  config.max_pending = 1;
  GrpcPublisher publisher(config);
  publish(publisher, "x");
  std::promise<void> started;
  std::thread blocked([&] {
    started.set_value();
    EXPECT_THROW(publish(publisher, "y"), PublishError);
  });
  started.get_future().wait();
  publisher.close(Clock::now());
  blocked.join();
}

TEST(PublisherExit, CloseWhileOthersPublishLosesNoCall) {
  const ScriptedServer server;
  for (int round = 0; round < 20; ++round) {
    GrpcPublisher publisher(config_for(server));
    std::vector<std::vector<Call>> calls(2);
    std::vector<std::thread> callers;
    for (auto& mine : calls)
      callers.emplace_back([&] {
        try {
          while (true) mine.push_back(publish(publisher, "x"));
        } catch (const PublishError& e) {
          EXPECT_EQ(e.code(), "CANCELLED");
        }
      });
    publisher.flush(Clock::now() + 5ms);
    publisher.close(Clock::now() + 5ms);
    for (std::thread& t : callers) t.join();
    for (const auto& mine : calls)
      for (const Call& call : mine) ASSERT_TRUE(call.done());
  }
}

TEST(PublisherExit, AForkedChildIsToldAndItsParentGoesOn) {
  const ScriptedServer server;
  GrpcPublisher publisher(config_for(server));
  EXPECT_EQ(outcome(publish(publisher, "before")), "OK");
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      publish(publisher, "child");
    } catch (const PublishError& e) {
      status = e.code() == "FAILED_PRECONDITION" ? 0 : 2;
    }
    try {
      GrpcPublisher anew(config_for(server));
      status = 4;
    } catch (const PublishError& e) {
      if (e.code() != "FAILED_PRECONDITION") status = 5;
    }
    if (publisher.flush(Clock::now() + 60s) != 0 || publisher.close(Clock::now() + 60s) != 0) status = 3;
    publisher.~GrpcPublisher();  // must neither join the parent's thread nor close its connection
    _exit(status);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(outcome(publish(publisher, "after")), "OK");
}

/// A publisher that only the program's exit destroys.
GrpcPublisher& static_publisher(const transport::PublisherConfig& config) {
  static GrpcPublisher publisher(config);
  return publisher;
}

class ProgramExit : public testing::Test {
 protected:
  ProgramExit() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(ProgramExit, WithAStaticPublisherUnderADeadBroker) {
  EXPECT_EXIT(
      {
        publish(static_publisher(dead_broker()), "x");
        std::exit(7);
      },
      testing::ExitedWithCode(7), "");
}

TEST_F(ProgramExit, ByExitInsideAThread) {
  EXPECT_EXIT(
      {
        publish(static_publisher(dead_broker()), "x");
        std::thread([] { std::exit(8); }).join();
      },
      testing::ExitedWithCode(8), "");
}

}  // namespace
}  // namespace cfd::pubsub
