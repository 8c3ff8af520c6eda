#include "metrics/metrics.hpp"

#include <array>
#include <chrono>
#include <string>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cfd/dispatch.hpp>
#include <cfd/error.hpp>

#include "metrics/endpoint.hpp"
#include "metrics/page.hpp"
#include "registry/registry.hpp"

namespace cfd::metrics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const auto used = dispatch("metrics_test.used", [] {});
const auto unused = dispatch("metrics_test.unused", [] {});

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view text) const {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  std::string receive_all() const {
    std::string all;
    std::array<char, 4096> chunk{};
    for (ssize_t n = 0; (n = ::recv(socket_, chunk.data(), chunk.size(), 0)) > 0;)
      all.append(chunk.data(), static_cast<std::size_t>(n));
    return all;
  }

 private:
  int socket_;
};

TEST(Metrics, CountsByFunctionOutcomeAndDuration) {
  const detail::Function* function = registry::find("metrics_test.used");
  record(function, Verdict::executed, 700us);
  record(function, Verdict::executed, 20ms);
  record(function, Verdict::retry, 10min);
  record(nullptr, Verdict::reject, 1us);
  const std::string text = page();
  EXPECT_THAT(text,
              HasSubstr("cfd_executions_total{function=\"metrics_test.used\",outcome=\"executed\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("cfd_executions_total{function=\"metrics_test.used\",outcome=\"retry\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("cfd_executions_total{function=\"unknown\",outcome=\"reject\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bucket{function=\"metrics_test.used\",le=\"0.0005\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("bucket{function=\"metrics_test.used\",le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bucket{function=\"metrics_test.used\",le=\"300\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("bucket{function=\"metrics_test.used\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("cfd_execution_seconds_count{function=\"metrics_test.used\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("cfd_execution_seconds_sum{function=\"metrics_test.used\"} 600.0207\n"));
  EXPECT_THAT(text, Not(HasSubstr("metrics_test.unused")));
}

TEST(Metrics, TheEndpointServesThePageAndNothingElse) {
  numbers().queued = 17;
  const Endpoint endpoint(0);
  const Client scraper(endpoint.port());
  scraper.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = scraper.receive_all();
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("\n# TYPE cfd_queue_depth gauge\ncfd_queue_depth 17\n"));
  const Client lost(endpoint.port());
  lost.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(lost.receive_all(), testing::StartsWith("HTTP/1.1 404 "));
  const Client writer(endpoint.port());
  writer.send("POST /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(writer.receive_all(), testing::StartsWith("HTTP/1.1 405 "));
}

TEST(Metrics, ASlowScraperIsCutOffAndTheNextOneServed) {
  const Endpoint endpoint(0);
  const Client slow(endpoint.port());
  slow.send("GET /met");
  const Client next(endpoint.port());
  next.send("GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_THAT(next.receive_all(), HasSubstr("cfd_in_flight"));
  EXPECT_EQ(slow.receive_all(), "");
}

TEST(Metrics, APortInUseIsSaid) {
  const Endpoint endpoint(0);
  try {
    const Endpoint second(endpoint.port());
    FAIL() << "two on one port";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot serve metrics on port " + std::to_string(endpoint.port())));
  }
}

}  // namespace
}  // namespace cfd::metrics
