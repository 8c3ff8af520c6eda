#include "http/server.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <istream>
#include <mutex>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/error.hpp>

namespace cfd::http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Tcp = boost::asio::ip::tcp;

constexpr auto patience = 30s;

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + patience;
}

// A client that says exactly what it is told to, and reads one response at a time.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(io_) {
    socket_.connect(Tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  }

  Client& send(std::string_view text) {
    boost::system::error_code ignored;  // a server that refuses may have closed already
    boost::asio::write(socket_, boost::asio::buffer(text), ignored);
    return *this;
  }

  // Head and body of the next response; empty at the end of the connection.
  std::string receive() {
    boost::system::error_code error;
    const std::size_t head_size = boost::asio::read_until(socket_, buffer_, "\r\n\r\n", error);
    if (error) return {};
    std::string head = take(head_size);
    const std::size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    const std::size_t length = std::stoul(head.substr(at + 16));
    if (buffer_.size() < length)
      boost::asio::read(socket_, buffer_, boost::asio::transfer_exactly(length - buffer_.size()), error);
    return head + take(std::min(length, buffer_.size()));
  }

  bool at_end() { return receive().empty(); }

 private:
  std::string take(std::size_t count) {
    std::string text(count, '\0');
    std::istream(&buffer_).read(text.data(), static_cast<std::streamsize>(count));
    return text;
  }

  boost::asio::io_context io_;
  Tcp::socket socket_;
  boost::asio::streambuf buffer_;
};

std::string post(std::string_view body, std::string_view headers = "") {
  return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

// "hello" in base64.
constexpr std::string_view push = R"({"message":{"data":"aGVsbG8=","messageId":"7"},"subscription":"s"})";

ServerOptions local(std::size_t threads = 2) {
  ServerOptions options;
  options.address = "127.0.0.1";
  options.port = 0;
  options.threads = threads;
  return options;
}

Outcome succeed(const Event&, std::stop_token) {
  return {};
}

struct Running {
  Server server;
  explicit Running(Server::Handler handler, ServerOptions options = local())
      : server(options, std::move(handler)) {
    server.start();
  }
  Client client() const { return Client(server.port()); }
  std::string answer(std::string_view request) const { return Client(server.port()).send(request).receive(); }
};

// Holds functions until it is opened.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool reached_by(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

TEST(Server, HandsThePushToTheHandlerAndAnswersByItsVerdict) {
  Running running([](const Event& event, std::stop_token) -> Outcome {
    if (event.data == "hello" && event.id == "7" && event.subscription == "s") return {};
    return {Verdict::reject, "not what was sent", {}};
  });
  EXPECT_THAT(running.answer(post(push)),
              AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"), HasSubstr("\r\nDate: "),
                    Not(HasSubstr("Connection")), Not(HasSubstr("Content-Length"))));
}

TEST(Server, EveryVerdictHasItsStatusAndNoReasonLeaksOut) {
  std::atomic<int> call = 0;
  Running running([&call](const Event&, std::stop_token) -> Outcome {
    switch (call++) {
      case 0:
        return {Verdict::retry, "secret", {}};
      case 1:
        return {Verdict::retry, "secret", 1500ms};
      default:
        return {Verdict::reject, "secret", {}};
    }
  });
  Client client = running.client();
  EXPECT_THAT(client.send(post(push)).receive(),
              AllOf(StartsWith("HTTP/1.1 503 "), Not(HasSubstr("Retry-After")), Not(HasSubstr("secret"))));
  EXPECT_THAT(client.send(post(push)).receive(),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 2\r\n")));
  EXPECT_THAT(client.send(post(push)).receive(),
              AllOf(StartsWith("HTTP/1.1 422 "), Not(HasSubstr("secret"))));
}

TEST(Server, HealthAndMethods) {
  Running running(succeed);
  Client client = running.client();
  EXPECT_THAT(client.send("GET /healthz?x=1 HTTP/1.1\r\nHost: h\r\n\r\n").receive(),
              AllOf(StartsWith("HTTP/1.1 200 OK"), ::testing::EndsWith("\r\n\r\nok\n")));
  EXPECT_THAT(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").receive(),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: POST\r\n")));
  EXPECT_THAT(client.send("DELETE /healthz HTTP/1.1\r\nHost: h\r\n\r\n").receive(),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n")));
  EXPECT_THAT(client.send(post(push)).receive(), StartsWith("HTTP/1.1 204 "));
}

TEST(Server, MalformedBodiesAreToldFromFailingFunctions) {
  Running running(succeed);
  Client client = running.client();
  for (const char* body : {"", "{}", "hello", R"({"message":{"data":"!"}})"})
    EXPECT_THAT(client.send(post(body)).receive(), StartsWith("HTTP/1.1 400 ")) << body;
  EXPECT_THAT(client.send(post(push)).receive(), StartsWith("HTTP/1.1 204 "));
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  Running running([](const Event& event, std::stop_token) -> Outcome {
    return event.id == "7" ? Outcome{} : Outcome{Verdict::reject, "", {}};
  });
  Client client = running.client();
  const std::string other = post(R"({"message":{"messageId":"8"}})");
  client.send(post(push) + other + "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n" + post(push));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 422 "));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 204 "));
}

TEST(Server, RequestsMayComeByteByByteAndChunked) {
  Running running(succeed);
  Client client = running.client();
  for (const char c : post(push)) client.send({&c, 1});
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 204 "));
  client.send("POST /any/path HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("10\r\n").send(push.substr(0, 16)).send("\r\n");
  char size[8];
  std::snprintf(size, sizeof size, "%zx\r\n", push.size() - 16);
  client.send(size).send(push.substr(16)).send("\r\n0\r\n\r\n");
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 204 "));
}

TEST(Server, AClientThatAsksFirstIsToldToGoOn) {
  Running running(succeed);
  Client client = running.client();
  const std::string request = post(push, "Expect: 100-continue\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  EXPECT_EQ(client.send(request.substr(0, head)).receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(client.send(request.substr(head)).receive(), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(client.send(post("", "Expect: magic\r\n").insert(0, "")).receive(),
              Not(StartsWith("HTTP/1.1 2")));
}

TEST(Server, TenMegabytesPassAndMoreThanTheLimitIsRefusedBeforeItIsSent) {
  std::atomic<std::size_t> received = 0;
  Running running([&received](const Event& event, std::stop_token) -> Outcome {
    received = event.data.size();
    return {};
  });
  const std::string body = "{\"message\":{\"data\":\"" + std::string(13'333'336, 'A') + "\"}}";
  EXPECT_THAT(running.answer(post(body)), StartsWith("HTTP/1.1 204 "));
  EXPECT_EQ(received, 10'000'002U);
  EXPECT_THAT(running.answer(
                  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close")));
  EXPECT_THAT(running.answer("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST(Server, RequestsThatCouldBeReadInTwoWaysAreRefused) {
  Running running(succeed);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  for (const std::string& bad : {
           head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
           head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
           head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
           head + "Content-Length: -1\r\n\r\n",
           head + "Content-Length: 0x5\r\n\r\nhello",
           head + "Content-Length : 5\r\n\r\nhello",
           head + "Host: other\r\nContent-Length: 0\r\n\r\n",
           std::string("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
           std::string("POST / HTTP/2.0\r\nHost: h\r\n\r\n"),
           std::string("nonsense\r\n\r\n"),
           std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
       }) {
    Client client = running.client();
    client.send(bad);
    EXPECT_THAT(client.receive(),
                AllOf(::testing::ContainsRegex("^HTTP/1.1 (4|5)"), HasSubstr("Connection: close")))
        << bad;
    EXPECT_TRUE(client.at_end()) << bad;
  }
}

TEST(Server, HeadersAreBounded) {
  Running running(succeed);
  EXPECT_THAT(running.answer("POST / HTTP/1.1\r\nHost: h\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST(Server, OldClientsKeepTheConnectionOnlyWhenTheyAsk) {
  Running running(succeed);
  Client keeping = running.client();
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(keeping.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").receive(),
                HasSubstr("Connection: keep-alive\r\n"));
  Client closing = running.client();
  EXPECT_THAT(closing.send("GET /healthz HTTP/1.0\r\n\r\n").receive(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(closing.at_end());
}

TEST(Server, AFullPoolAnswers429AndHealthChecksGoOn) {
  Gate gate;
  ServerOptions options = local(1);
  options.queue = 1;
  Running running(
      [&gate](const Event&, std::stop_token) -> Outcome {
        gate.wait();
        return {};
      },
      options);
  Client first = running.client();
  first.send(post(push));
  ASSERT_TRUE(gate.reached_by(1));
  Client second = running.client();
  second.send(post(push));
  // The second waits in the queue; whichever of these comes after it meets a full pool.
  Client third = running.client();
  Client fourth = running.client();
  third.send(post(push));
  fourth.send(post(push));
  EXPECT_THAT(running.answer("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  auto a = std::async(std::launch::async, [&] { return second.receive(); });
  auto b = std::async(std::launch::async, [&] { return third.receive(); });
  auto c = std::async(std::launch::async, [&] { return fourth.receive(); });
  const auto refused = [](const std::string& answer) { return answer.starts_with("HTTP/1.1 429 "); };
  // Two of three are refused while the gate is shut.
  int ready = 0;
  for (const auto until = soon(); ready < 2 && std::chrono::steady_clock::now() < until;) {
    ready = 0;
    for (auto* f : {&a, &b, &c}) ready += f->wait_for(1ms) == std::future_status::ready ? 1 : 0;
  }
  EXPECT_EQ(ready, 2);
  gate.open();
  const int refusals = (refused(a.get()) ? 1 : 0) + (refused(b.get()) ? 1 : 0) + (refused(c.get()) ? 1 : 0);
  EXPECT_EQ(refusals, 2);
  EXPECT_THAT(first.receive(), StartsWith("HTTP/1.1 204 "));
}

TEST(Server, SlowClientsAndIdleConnectionsAreClosed) {
  ServerOptions options = local();
  options.read_timeout = 300ms;
  options.idle_timeout = 300ms;
  Running running(succeed, options);
  Client slow = running.client();
  slow.send("POST / HTTP/1.1\r\nHost: h\r\nX-Slow: ");
  Client idle = running.client();
  EXPECT_TRUE(slow.at_end());
  EXPECT_TRUE(idle.at_end());
}

TEST(Server, StopLetsRunningFunctionsEndAndAnswersThem) {
  Gate gate;
  Running running([&gate](const Event&, std::stop_token) -> Outcome {
    gate.wait();
    return {};
  });
  Client busy = running.client();
  Client idle = running.client();
  busy.send(post(push));
  ASSERT_TRUE(gate.reached_by(1));
  auto stopped = std::async(std::launch::async, [&] { return running.server.stop(soon()); });
  EXPECT_TRUE(idle.at_end());
  gate.open();
  EXPECT_TRUE(stopped.get());
  EXPECT_THAT(busy.receive(), AllOf(StartsWith("HTTP/1.1 204 "), HasSubstr("Connection: close")));
  EXPECT_TRUE(busy.at_end());
}

TEST(Server, AtTheDeadlineFunctionsAreAskedToStop) {
  std::promise<void> started;
  Running running([&started](const Event&, std::stop_token stop) -> Outcome {
    started.set_value();
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [] { return false; });
    return {Verdict::retry, "asked to stop", {}};
  });
  Client client = running.client();
  client.send(post(push));
  started.get_future().wait();
  EXPECT_TRUE(running.server.stop(std::chrono::steady_clock::now()));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 503 "));
}

TEST(Server, APortInUseIsSaid) {
  Running running(succeed);
  ServerOptions options = local();
  options.port = running.server.port();
  Server second(options, succeed);
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("127.0.0.1:" + std::to_string(options.port)), HasSubstr("in use")));
  }
}

TEST(Server, ManyConnectionsAtOnce) {
  std::atomic<int> executed = 0;
  ServerOptions options = local(4);
  options.queue = 1000;
  Running running(
      [&executed](const Event&, std::stop_token) -> Outcome {
        ++executed;
        return {};
      },
      options);
  constexpr int clients = 16;
  constexpr int each = 200;
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int t = 0; t < clients; ++t)
    threads.emplace_back([&] {
      Client client = running.client();
      for (int i = 0; i < each; ++i)
        if (client.send(post(push)).receive().starts_with("HTTP/1.1 204 ")) ++answered;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, clients * each);
  EXPECT_EQ(executed, clients * each);
}

}  // namespace
}  // namespace cfd::http
