// A million calls while the connection is cut, delayed, reset and swallowed: each handle resolves, and what
// is confirmed was received.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cfd/call.hpp>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "pubsub/publisher.hpp"
#include "pubsub/unruly_proxy.hpp"

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint32_t call_count = 100'000;
#else
constexpr std::uint32_t call_count = 1'000'000;
#endif

/// Marks the numbers that arrive as messages' data.
class Ledger final : public v1::Publisher::Service {
 public:
  Ledger() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() override { server_->Shutdown(std::chrono::system_clock::now()); }

  int port = 0;
  std::vector<std::atomic<std::uint32_t>> times = std::vector<std::atomic<std::uint32_t>>(call_count);

 private:
  grpc::Status Publish(grpc::ServerContext*, const v1::PublishRequest* request,
                       v1::PublishResponse* response) override {
    for (const auto& message : request->messages()) {
      std::uint32_t number = 0;
      if (message.data().size() != sizeof number) return grpc::Status(grpc::INVALID_ARGUMENT, "torn message");
      std::memcpy(&number, message.data().data(), sizeof number);
      if (number >= call_count) return grpc::Status(grpc::INVALID_ARGUMENT, "unknown message");
      ++times[number];
      response->add_message_ids(std::to_string(number));
    }
    return grpc::Status::OK;
  }

  std::unique_ptr<grpc::Server> server_;
};

/// Changes the proxy's mood every few hundredths of a second while it lives.
class Unrest {
 public:
  explicit Unrest(UnrulyProxy& proxy)
      : thread_([this, &proxy] {
          using Mood = UnrulyProxy::Mood;
          constexpr std::array<Mood, 8> moods{Mood::pass,    Mood::refuse, Mood::pass,  Mood::delay,
                                              Mood::swallow, Mood::pass,   Mood::delay, Mood::refuse};
          std::minstd_rand random{42};
          for (std::size_t i = 0; !over_; ++i) {
            proxy.set(moods[i % moods.size()]);
            std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 60));
          }
          proxy.set(Mood::pass);
        }) {}
  Unrest(const Unrest&) = delete;
  Unrest& operator=(const Unrest&) = delete;
  ~Unrest() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

TEST(Fault, AMillionCallsSurviveABadNetworkAndAreAccountedFor) {
  Ledger ledger;
  UnrulyProxy proxy(ledger.port);
  transport::PublisherConfig config;
  config.topic = "projects/p/topics/t";
  config.endpoint = "127.0.0.1:" + std::to_string(proxy.port());
  config.insecure = true;
  config.publish_timeout = 100s;
  GrpcPublisher publisher(config, Backoff{1ms, 200ms, 2});
  std::vector<detail::CallStatePtr> calls;
  calls.reserve(call_count);
  {
    const Unrest unrest(proxy);
    const auto pace = Clock::now();
    for (std::uint32_t number = 0; number < call_count; ++number) {
      std::array<char, sizeof number> data;
      std::memcpy(data.data(), &number, sizeof number);
      calls.push_back(detail::make_call_state("0123456789abcdef0123456789abcdef"));
      publisher.publish({{data.data(), data.size()}, {}, {}}, calls.back());
      // Spread over some seconds, so that every mood comes around many times.
      if (number % 1000 == 0)
        std::this_thread::sleep_until(pace + 5s * (number / 1000) / (call_count / 1000));
    }
  }
  EXPECT_EQ(publisher.flush(Clock::now() + 120s), 0U);
  EXPECT_GT(proxy.resets(), 3) << "the network was too well behaved to prove anything";
  std::uint32_t confirmed = 0;
  std::uint32_t received = 0;
  std::uint64_t extra = 0;
  for (std::uint32_t number = 0; number < call_count; ++number) {
    ASSERT_TRUE(calls[number]->done()) << number;
    ASSERT_EQ(calls[number]->wait_until(Clock::now()), std::to_string(number));
    ++confirmed;
    if (ledger.times[number] > 0) ++received;
    extra += ledger.times[number] - 1;
  }
  EXPECT_EQ(confirmed, call_count);
  EXPECT_EQ(received, confirmed);
  RecordProperty("resets", proxy.resets());
  RecordProperty("received_twice", std::to_string(extra));
  std::printf("%u calls confirmed, %u received, %llu of them more than once, %d connections reset\n",
              confirmed, received, static_cast<unsigned long long>(extra), proxy.resets());
}

}  // namespace
}  // namespace cfd::pubsub
