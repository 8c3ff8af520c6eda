// Pushes to a real HTTP endpoint.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "emulator/server_fixture.hpp"

namespace cfd::emulator {
namespace {

using google::protobuf::Empty;
using namespace std::chrono_literals;

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
