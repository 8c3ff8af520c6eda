// The server over real gRPC channels and real HTTP.
#include "emulator/server.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <cfd/error.hpp>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "cfd/rpc/status.pb.h"
#include "emulator/broker.hpp"

namespace cfd::emulator {
namespace {

namespace v1 = pubsub::v1;
using google::protobuf::Empty;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr auto patience = 60s;
constexpr const char* topic_name = "projects/p/topics/topic";
constexpr const char* subscription_name = "projects/p/subscriptions/sub";

std::unique_ptr<grpc::ClientContext> context() {
  auto made = std::make_unique<grpc::ClientContext>();
  made->set_deadline(std::chrono::system_clock::now() + patience);
  return made;
}

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server.start();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    // Tests run in one process; a channel of its own keeps one test's connection from another's server.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel(server.host(), grpc::InsecureChannelCredentials(), arguments);
    publisher = v1::Publisher::NewStub(channel);
    subscriber = v1::Subscriber::NewStub(channel);
    v1::Topic topic;
    topic.set_name(topic_name);
    check(publisher->CreateTopic(context().get(), topic, &topic));
  }

  static void check(const grpc::Status& status) { ASSERT_TRUE(status.ok()) << status.error_message(); }

  static v1::Subscription subscription() {
    v1::Subscription wanted;
    wanted.set_name(subscription_name);
    wanted.set_topic(topic_name);
    return wanted;
  }
  void create(const v1::Subscription& wanted) {
    v1::Subscription made;
    check(subscriber->CreateSubscription(context().get(), wanted, &made));
  }

  std::vector<std::string> publish(const std::vector<std::string>& data) {
    v1::PublishRequest request;
    request.set_topic(topic_name);
    for (const auto& one : data) request.add_messages()->set_data(one);
    v1::PublishResponse response;
    check(publisher->Publish(context().get(), request, &response));
    return {response.message_ids().begin(), response.message_ids().end()};
  }

  v1::PullResponse pull(int max_messages = 1000, bool wait = true) {
    v1::PullRequest request;
    request.set_subscription(subscription_name);
    request.set_max_messages(max_messages);
    request.set_return_immediately(!wait);
    v1::PullResponse response;
    check(subscriber->Pull(context().get(), request, &response));
    return response;
  }

  Server server;
  std::unique_ptr<v1::Publisher::Stub> publisher;
  std::unique_ptr<v1::Subscriber::Stub> subscriber;
};

TEST_F(ServerTest, PublishesPullsAndAcknowledges) {
  create(subscription());
  const auto ids = publish({"a", "b"});
  ASSERT_THAT(ids, SizeIs(2));
  const auto response = pull();
  ASSERT_EQ(response.received_messages_size(), 2);
  EXPECT_EQ(response.received_messages(1).message().data(), "b");
  EXPECT_EQ(response.received_messages(1).message().message_id(), ids[1]);
  EXPECT_GT(response.received_messages(1).message().publish_time().seconds(), 1'600'000'000);
  v1::AcknowledgeRequest acknowledge;
  acknowledge.set_subscription(subscription_name);
  for (const auto& received : response.received_messages()) acknowledge.add_ack_ids(received.ack_id());
  Empty empty;
  check(subscriber->Acknowledge(context().get(), acknowledge, &empty));
  EXPECT_EQ(pull(1000, false).received_messages_size(), 0);
}

TEST_F(ServerTest, APullWaitsForAMessage) {
  create(subscription());
  v1::PullResponse response;
  std::thread waiting([&] { response = pull(); });
  publish({"late"});
  waiting.join();
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_EQ(response.received_messages(0).message().data(), "late");
}

TEST_F(ServerTest, CarriesMessagesOfTenMegabytes) {
  create(subscription());
  const std::string large(9'999'000, 'x');
  publish({large});
  const auto response = pull();
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_TRUE(response.received_messages(0).message().data() == large);
}

TEST_F(ServerTest, MissingResourcesAreNotFound) {
  v1::PublishRequest publish_request;
  publish_request.set_topic("projects/p/topics/missing");
  publish_request.add_messages()->set_data("x");
  v1::PublishResponse published;
  EXPECT_EQ(publisher->Publish(context().get(), publish_request, &published).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::PullRequest pull_request;
  pull_request.set_subscription("projects/p/subscriptions/missing");
  pull_request.set_max_messages(1);
  v1::PullResponse pulled;
  EXPECT_EQ(subscriber->Pull(context().get(), pull_request, &pulled).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, StreamsAndAcknowledgesOnTheStream) {
  create(subscription());
  const auto stream_context = context();
  const auto stream = subscriber->StreamingPull(stream_context.get());
  v1::StreamingPullRequest request;
  request.set_subscription(subscription_name);
  request.set_stream_ack_deadline_seconds(10);
  ASSERT_TRUE(stream->Write(request));
  std::vector<std::string> sent;
  for (int i = 0; i < 2500; ++i) sent.push_back(std::to_string(i));
  for (std::size_t i = 0; i < sent.size(); i += 500) {
    publish(
        {sent.begin() + static_cast<std::ptrdiff_t>(i), sent.begin() + static_cast<std::ptrdiff_t>(i + 500)});
  }
  std::vector<std::string> got;
  while (got.size() < sent.size()) {
    v1::StreamingPullResponse response;
    ASSERT_TRUE(stream->Read(&response));
    v1::StreamingPullRequest acknowledge;
    for (const auto& received : response.received_messages()) {
      got.push_back(received.message().data());
      acknowledge.add_ack_ids(received.ack_id());
    }
    ASSERT_TRUE(stream->Write(acknowledge));
  }
  EXPECT_EQ(got, sent);
  stream->WritesDone();
  v1::StreamingPullResponse response;
  EXPECT_FALSE(stream->Read(&response));
  check(stream->Finish());
  EXPECT_EQ(pull(1000, false).received_messages_size(), 0) << "all were acknowledged before the stream ended";
}

TEST_F(ServerTest, ConfirmsUnderExactlyOnce) {
  auto wanted = subscription();
  wanted.set_enable_exactly_once_delivery(true);
  create(wanted);
  publish({"a"});
  const auto stream_context = context();
  const auto stream = subscriber->StreamingPull(stream_context.get());
  v1::StreamingPullRequest request;
  request.set_subscription(subscription_name);
  request.set_stream_ack_deadline_seconds(10);
  ASSERT_TRUE(stream->Write(request));
  v1::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_TRUE(response.subscription_properties().exactly_once_delivery_enabled());
  const auto ack_id = response.received_messages(0).ack_id();

  request.Clear();
  request.add_modify_deadline_ack_ids(ack_id);
  request.add_modify_deadline_seconds(60);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.modify_ack_deadline_confirmation().ack_ids(), ElementsAre(ack_id));

  for (const bool first : {true, false}) {
    request.Clear();
    request.add_ack_ids(ack_id);
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.acknowledge_confirmation().ack_ids_size(), first ? 1 : 0);
    EXPECT_EQ(response.acknowledge_confirmation().invalid_ack_ids_size(), first ? 0 : 1);
  }

  v1::AcknowledgeRequest unary;
  unary.set_subscription(subscription_name);
  unary.add_ack_ids(ack_id);
  Empty empty;
  const auto status = subscriber->Acknowledge(context().get(), unary, &empty);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  rpc::Status details;
  rpc::ErrorInfo info;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  ASSERT_TRUE(info.ParseFromString(details.details(0).value()));
  EXPECT_EQ(info.metadata().at(ack_id), "PERMANENT_FAILURE_INVALID_ACK_ID");
}

TEST_F(ServerTest, EndsAStreamOnBadRequests) {
  create(subscription());
  const auto code_after = [&](const v1::StreamingPullRequest& later) {
    const auto stream_context = context();
    const auto stream = subscriber->StreamingPull(stream_context.get());
    v1::StreamingPullRequest first;
    first.set_subscription(subscription_name);
    first.set_stream_ack_deadline_seconds(10);
    stream->Write(first);
    stream->Write(later);
    v1::StreamingPullResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  };
  v1::StreamingPullRequest request;
  request.set_max_outstanding_messages(5);
  EXPECT_EQ(code_after(request), grpc::StatusCode::INVALID_ARGUMENT);
  request.Clear();
  request.add_modify_deadline_ack_ids("000000000000000000000000");
  EXPECT_EQ(code_after(request), grpc::StatusCode::INVALID_ARGUMENT);
  request.Clear();
  request.add_ack_ids("nonsense");
  EXPECT_EQ(code_after(request), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, DeletingASubscriptionEndsItsStreams) {
  create(subscription());
  const auto stream_context = context();
  const auto stream = subscriber->StreamingPull(stream_context.get());
  v1::StreamingPullRequest request;
  request.set_subscription(subscription_name);
  request.set_stream_ack_deadline_seconds(10);
  ASSERT_TRUE(stream->Write(request));
  publish({"x"});
  v1::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  v1::DeleteSubscriptionRequest deletion;
  deletion.set_subscription(subscription_name);
  Empty empty;
  check(subscriber->DeleteSubscription(context().get(), deletion, &empty));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, FailsDelaysAndDuplicatesOnDemand) {
  create(subscription());
  auto& faults = server.broker().faults();
  faults.add({.method = "Publish", .count = 2, .status = {Code::unavailable, "injected"}});
  faults.add({.method = "Publish", .delay = 100ms, .duplicate = true});
  v1::PublishRequest request;
  request.set_topic(topic_name);
  request.add_messages()->set_data("a");
  v1::PublishResponse response;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(publisher->Publish(context().get(), request, &response).error_code(),
              grpc::StatusCode::UNAVAILABLE);
  }
  const auto start = std::chrono::steady_clock::now();
  check(publisher->Publish(context().get(), request, &response));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
  EXPECT_EQ(pull().received_messages_size(), 2) << "twice";
  faults.add({.method = "Pull", .status = {Code::internal, "injected"}});
  v1::PullRequest pull_request;
  pull_request.set_subscription(subscription_name);
  pull_request.set_max_messages(1);
  v1::PullResponse pulled;
  EXPECT_EQ(subscriber->Pull(context().get(), pull_request, &pulled).error_code(),
            grpc::StatusCode::INTERNAL);
}

TEST_F(ServerTest, ATakenPortIsAnErrorThatSaysSo) {
  Server second({.address = "127.0.0.1", .port = server.port()});
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(server.port())));
    EXPECT_THAT(error.what(), HasSubstr("port is in use"));
  }
}

/// An HTTP endpoint that answers with the statuses it is given, then with 204.
class Endpoint {
 public:
  struct Request {
    std::map<std::string, std::string> headers;
    std::string body;
  };

  explicit Endpoint(std::deque<unsigned> statuses = {}) : statuses_(std::move(statuses)) {
    thread_ = std::thread([this] { accept(); });
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint() {
    stopping_ = true;
    // Wakes the accept; an open connection ends when the pusher closes it.
    boost::asio::io_context knock_context;
    tcp::socket knock(knock_context);
    boost::system::error_code ignored;
    knock.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    for (auto& connection : connections_) connection.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/push?x=1";
  }

  std::vector<Request> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, patience, [&] { return requests_.size() >= count; }));
    return requests_;
  }
  int connection_count() const { return connection_count_; }

 private:
  using tcp = boost::asio::ip::tcp;

  void accept() {
    while (true) {
      tcp::socket socket(context_);
      acceptor_.accept(socket);
      if (stopping_) return;
      ++connection_count_;
      connections_.emplace_back([this, moved = std::move(socket)]() mutable { serve(std::move(moved)); });
    }
  }

  void serve(tcp::socket socket) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    boost::system::error_code error;
    while (true) {
      http::request<http::string_body> request;
      http::read(socket, buffer, request, error);
      if (error) return;
      http::response<http::empty_body> response;
      {
        const std::lock_guard lock(mutex_);
        response.result(statuses_.empty() ? 204U : statuses_.front());
        if (!statuses_.empty()) statuses_.pop_front();
        Request seen{{}, request.body()};
        for (const auto& field : request)
          seen.headers[std::string(field.name_string())] = std::string(field.value());
        seen.headers[":target"] = std::string(request.target());
        requests_.push_back(std::move(seen));
      }
      changed_.notify_all();
      response.prepare_payload();
      http::write(socket, response, error);
      if (error) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<unsigned> statuses_;
  std::vector<Request> requests_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connection_count_{0};
  boost::asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::vector<std::thread> connections_;
  std::thread thread_;
};

class PushTest : public ServerTest {
 protected:
  /// Connections of the pusher must be closed before the endpoint waits for them.
  void TearDown() override { server.stop(); }
};

TEST_F(PushTest, PushesTheWrappedForm) {
  Endpoint endpoint;
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  create(wanted);
  v1::PublishRequest request;
  request.set_topic(topic_name);
  request.add_messages()->set_data("hello");
  (*request.mutable_messages(0)->mutable_attributes())["k"] = "v";
  request.mutable_messages(0)->set_ordering_key("key");
  v1::PublishResponse published;
  check(publisher->Publish(context().get(), request, &published));
  const auto seen = endpoint.wait_for(1).front();
  const auto body = boost::json::parse(seen.body).as_object();
  const auto& message = body.at("message").as_object();
  EXPECT_EQ(seen.headers.at(":target"), "/push?x=1");
  EXPECT_EQ(body.at("subscription").as_string(), subscription_name);
  EXPECT_EQ(message.at("data").as_string(), "aGVsbG8=");
  EXPECT_EQ(message.at("messageId").as_string(), published.message_ids(0));
  EXPECT_EQ(message.at("message_id").as_string(), published.message_ids(0));
  EXPECT_EQ(message.at("publishTime").as_string().size(), 24U);
  EXPECT_EQ(message.at("orderingKey").as_string(), "key");
  EXPECT_EQ(message.at("attributes").as_object().at("k").as_string(), "v");
  EXPECT_FALSE(body.contains("deliveryAttempt"));
  server.stop();
}

TEST_F(PushTest, PushesDataAndMetadataUnwrapped) {
  Endpoint endpoint;
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  wanted.mutable_push_config()->mutable_no_wrapper()->set_write_metadata(true);
  create(wanted);
  v1::PublishRequest request;
  request.set_topic(topic_name);
  request.add_messages()->set_data("raw");
  (*request.mutable_messages(0)->mutable_attributes())["x-mine"] = "v";
  (*request.mutable_messages(0)->mutable_attributes())["evil"] = "a\r\nInjected: 1";
  v1::PublishResponse published;
  check(publisher->Publish(context().get(), request, &published));
  const auto seen = endpoint.wait_for(1).front();
  EXPECT_EQ(seen.body, "raw");
  EXPECT_EQ(seen.headers.at("x-mine"), "v");
  EXPECT_FALSE(seen.headers.contains("evil"));
  EXPECT_FALSE(seen.headers.contains("Injected"));
  EXPECT_EQ(seen.headers.at("x-goog-pubsub-subscription-name"), subscription_name);
  EXPECT_EQ(seen.headers.at("x-goog-pubsub-message-id"), published.message_ids(0));
  server.stop();
}

TEST_F(PushTest, SignsWhatItPushesWhereAsked) {
  Endpoint endpoint;
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  wanted.mutable_push_config()->mutable_oidc_token()->set_service_account_email("pusher@example.com");
  create(wanted);
  publish({"a"});
  EXPECT_THAT(endpoint.wait_for(1).front().headers.at("Authorization"),
              ::testing::MatchesRegex("Bearer .+\\..+\\..+"));
  server.stop();
}

TEST_F(PushTest, PushesAgainUntilItIsTaken) {
  Endpoint endpoint({500, 429, 302});
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  create(wanted);
  publish({"a"});
  const auto requests = endpoint.wait_for(4);
  EXPECT_EQ(requests.front().body, requests.back().body);
  publish({"b"});
  EXPECT_NE(endpoint.wait_for(5).back().body, requests.back().body)
      << "the first was not pushed a fifth time";
  EXPECT_EQ(endpoint.connection_count(), 1) << "one connection, kept";
  server.stop();
}

TEST_F(PushTest, RequestsThatFailTogetherCountAsOneFailure) {
  // Thirty-one are taken, so that many are under way at once; then an endpoint that restarts fails all of
  // those, and one more. Counted one by one they would hold the subscription back for its longest pause, a
  // minute.
  std::deque<unsigned> statuses(31, 204);
  statuses.insert(statuses.end(), 70, 503);
  Endpoint endpoint(statuses);
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  create(wanted);
  std::vector<std::string> data;
  for (int i = 0; i < 100; ++i) data.push_back(std::to_string(i));
  const auto start = std::chrono::steady_clock::now();
  publish(data);
  endpoint.wait_for(170);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(45));
  server.stop();
}

TEST_F(PushTest, PushesManyAndEachOnce) {
  Endpoint endpoint;
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  create(wanted);
  std::vector<std::string> data;
  for (int i = 0; i < 200; ++i) data.push_back(std::to_string(i));
  const auto ids = publish(data);
  std::set<std::string> seen;
  for (const auto& request : endpoint.wait_for(200)) {
    seen.insert(std::string(boost::json::parse(request.body).at("message").at("messageId").as_string()));
  }
  EXPECT_EQ(seen, std::set<std::string>(ids.begin(), ids.end()));
  server.stop();
}

TEST_F(PushTest, APushSubscriptionCannotBePulledUntilItsPushEnds) {
  Endpoint endpoint({500, 500, 500, 500, 500, 500, 500, 500, 500, 500});
  auto wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint(endpoint.url());
  create(wanted);
  publish({"a"});
  endpoint.wait_for(1);
  v1::PullRequest request;
  request.set_subscription(subscription_name);
  request.set_max_messages(1);
  v1::PullResponse response;
  EXPECT_EQ(subscriber->Pull(context().get(), request, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  v1::ModifyPushConfigRequest modify;
  modify.set_subscription(subscription_name);
  Empty empty;
  check(subscriber->ModifyPushConfig(context().get(), modify, &empty));
  EXPECT_EQ(pull().received_messages(0).message().data(), "a");
  server.stop();
}

}  // namespace
}  // namespace cfd::emulator
