// The real server, killed again and again under load, with an account of every message.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "integration/process.hpp"

namespace cfd::integration {
namespace {

namespace v1 = cfd::pubsub::v1;

constexpr const char* topic = "projects/test-project/topics/crash";
constexpr const char* subscription = "projects/test-project/subscriptions/crash";
constexpr int batch_size = 100;
constexpr int publishers = 3;
constexpr int pullers = 2;

/// What the server has told to whom. Thread-safe.
class Ledger {
 public:
  void published(const std::string& data) { add(published_, data); }
  void acknowledging(const std::string& data) { add(acknowledging_, data); }
  void confirmed(const std::string& data) {
    add(confirmed_, data);
    ++confirmations;
  }
  void delivered(const std::string& data) {
    const std::lock_guard lock(mutex_);
    delivered_.insert(data);
    if (confirmed_.contains(data)) returned_.insert(data);
  }

  /// What must be delivered yet: confirmed to its publisher, and nobody has tried to acknowledge it.
  std::set<std::string> owed() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> owed;
    std::set_difference(published_.begin(), published_.end(), acknowledging_.begin(), acknowledging_.end(),
                        std::inserter(owed, owed.end()));
    return owed;
  }
  std::set<std::string> returned() const {
    const std::lock_guard lock(mutex_);
    return returned_;
  }
  std::size_t published_count() const {
    const std::lock_guard lock(mutex_);
    return published_.size();
  }

  std::atomic<int> confirmations{0};

 private:
  void add(std::set<std::string>& set, const std::string& data) {
    const std::lock_guard lock(mutex_);
    set.insert(data);
  }
  mutable std::mutex mutex_;
  std::set<std::string> published_, acknowledging_, confirmed_, delivered_, returned_;
};

/// One run of the server, and clients of it.
class CrashingServer {
 public:
  CrashingServer(const TemporaryDirectory& directory, int number)
      : ready_(directory / ("ready-" + std::to_string(number))),
        process_({CFD_COMMAND, "emulator", "--host", "127.0.0.1", "--port", "0", "--data-dir",
                  directory / "data", "--ready-file", ready_}) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel(wait_for_file(ready_, process_),
                                                   grpc::InsecureChannelCredentials(), arguments);
    publisher_ = v1::Publisher::NewStub(channel);
    subscriber_ = v1::Subscriber::NewStub(channel);
  }

  void create() {
    v1::Topic wanted;
    wanted.set_name(topic);
    grpc::ClientContext context;
    ASSERT_TRUE(publisher_->CreateTopic(&context, wanted, &wanted).ok());
    v1::Subscription made;
    made.set_name(subscription);
    made.set_topic(topic);
    made.set_ack_deadline_seconds(600);
    made.set_enable_exactly_once_delivery(true);
    grpc::ClientContext second;
    ASSERT_TRUE(subscriber_->CreateSubscription(&second, made, &made).ok());
  }

  /// Until the server is gone.
  void publish(const std::string& prefix, Ledger& ledger) {
    for (int i = 0;; ++i) {
      v1::PublishRequest request;
      request.set_topic(topic);
      for (int k = 0; k < batch_size; ++k)
        request.add_messages()->set_data(prefix + "-" + std::to_string(i) + "-" + std::to_string(k));
      v1::PublishResponse response;
      grpc::ClientContext context;
      if (!publisher_->Publish(&context, request, &response).ok()) return;
      for (const auto& message : request.messages()) ledger.published(message.data());
    }
  }

  /// Until the server is gone, or `enough` says so after some response.
  void pull(Ledger& ledger, const std::function<bool()>& enough) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    const auto stream = subscriber_->StreamingPull(&context);
    v1::StreamingPullRequest request;
    request.set_subscription(subscription);
    request.set_stream_ack_deadline_seconds(600);
    request.set_max_outstanding_messages(20);  // so that a backlog grows
    std::map<std::string, std::string> data;   // by ack id
    v1::StreamingPullResponse response;
    for (bool open = stream->Write(request); open && !enough() && stream->Read(&response);) {
      request.Clear();
      for (const auto& received : response.received_messages()) {
        ledger.delivered(received.message().data());
        ledger.acknowledging(received.message().data());
        data.emplace(received.ack_id(), received.message().data());
        request.add_ack_ids(received.ack_id());
      }
      for (const auto& ack_id : response.acknowledge_confirmation().ack_ids())
        ledger.confirmed(data.at(ack_id));
      if (request.ack_ids_size() > 0) open = stream->Write(request);
    }
    context.TryCancel();
    stream->Finish();
  }

  void kill() {
    process_.signal(SIGKILL);
    EXPECT_EQ(process_.wait(), 128 + SIGKILL) << process_.output();
  }

 private:
  std::string ready_;
  Process process_;
  std::unique_ptr<v1::Publisher::Stub> publisher_;
  std::unique_ptr<v1::Subscriber::Stub> subscriber_;
};

/// CFD_TEST_CRASHES: how often; a few by default, to be quick.
int crashes() {
  const char* text = std::getenv("CFD_TEST_CRASHES");
  return text != nullptr ? std::atoi(text) : 4;
}

TEST(CrashTest, NothingIsLostAndNothingConfirmedReturns) {
  const TemporaryDirectory directory;
  Ledger ledger;
  const int rounds = crashes();
  for (int round = 0; round < rounds; ++round) {
    CrashingServer server(directory, round);
    if (round == 0) server.create();
    std::vector<std::thread> clients;
    for (int i = 0; i < publishers; ++i) {
      clients.emplace_back(
          [&, i] { server.publish(std::to_string(round) + "-" + std::to_string(i), ledger); });
    }
    for (int i = 0; i < pullers; ++i)
      clients.emplace_back([&] { server.pull(ledger, [] { return false; }); });
    // Somewhere in the middle of everything, elsewhere in each round.
    const int until = ledger.confirmations + 100 + 271 * (round % 7);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (ledger.confirmations < until && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    EXPECT_GE(ledger.confirmations, until) << "the server does not get on";
    server.kill();
    for (auto& client : clients) client.join();
  }
  EXPECT_THAT(ledger.returned(), testing::IsEmpty());
  const auto owed = ledger.owed().size();
  CrashingServer last(directory, rounds);
  last.pull(ledger, [&] { return ledger.owed().empty(); });
  EXPECT_THAT(ledger.owed(), testing::IsEmpty()) << "confirmed to the publisher, and lost";
  last.kill();
  EXPECT_THAT(ledger.returned(), testing::IsEmpty()) << "confirmed as acknowledged, and delivered again";
  std::printf("%d kills: %zu messages published, %d acknowledgements confirmed, %zu left for the last run\n",
              rounds, ledger.published_count(), ledger.confirmations.load(), owed);
}

}  // namespace
}  // namespace cfd::integration
