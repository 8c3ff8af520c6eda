#include <atomic>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>
#include <cfd/error.hpp>
#include <cfd/execute.hpp>

#include "log/context.hpp"

namespace cfd {
namespace {

using testing::HasSubstr;

std::atomic<int> sum = 0;

const auto add = dispatch("execute_event_test.add", [](int n) { sum += n; });
const auto fail = dispatch("execute_event_test.fail", [] { throw Retry("later", std::chrono::seconds(3)); });

std::string traced;
const auto note = dispatch("execute_event_test.note", [] { traced = log::context().trace; });

// {"function":"execute_event_test.add","args":[5]} and the call of fail, in base64.
constexpr const char* add_five = "eyJmdW5jdGlvbiI6ImV4ZWN1dGVfZXZlbnRfdGVzdC5hZGQiLCJhcmdzIjpbNV19";
constexpr const char* failing = "eyJmdW5jdGlvbiI6ImV4ZWN1dGVfZXZlbnRfdGVzdC5mYWlsIiwiYXJncyI6W119";

std::string message(const char* data) {
  return std::string(R"({"message":{"data":")") + data + R"(","messageId":"1"}})";
}

std::string event(const char* data) {
  return R"({"specversion":"1.0","id":"1","type":"t","source":"s","data":)" + message(data) + "}";
}

class ExecuteEvent : public testing::Test {
 protected:
  void SetUp() override { sum = 0; }

  static Outcome execute(std::vector<Header> headers, std::string body) {
    return execute_event(headers, std::move(body));
  }
};

TEST_F(ExecuteEvent, RunsWhatAPushBrings) {
  EXPECT_EQ(execute({{"Content-Type", "application/json"}}, message(add_five)).verdict, Verdict::executed);
  EXPECT_EQ(sum, 5);
}

TEST_F(ExecuteEvent, RunsCloudEventsInEveryMode) {
  EXPECT_EQ(execute({{"ce-specversion", "1.0"}, {"ce-id", "1"}}, message(add_five)).verdict,
            Verdict::executed);
  EXPECT_EQ(
      execute({{"Content-Type", "Application/CloudEvents+JSON; charset=utf-8"}}, event(add_five)).verdict,
      Verdict::executed);
  EXPECT_EQ(execute({{"content-type", "application/cloudevents-batch+json"}},
                    "[" + event(add_five) + "," + event(add_five) + "]")
                .verdict,
            Verdict::executed);
  EXPECT_EQ(sum, 20);
}

TEST_F(ExecuteEvent, RunsACloudEventWhosePushIsBase64) {
  // The base64 of message(add_five).
  const std::string event =
      R"({"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":)"
      "\"eyJtZXNzYWdlIjp7ImRhdGEiOiJleUptZFc1amRHbHZiaUk2SW1WNFpXTjFk"
      "R1ZmWlhabGJuUmZkR1Z6ZEM1aFpHUWlMQ0poY21keklqcGJOVjE5IiwibWVzc2FnZUlkIjoiMSJ9fQ==\"}";
  const Outcome outcome = execute({{"content-type", "application/cloudevents+json"}}, event);
  EXPECT_EQ(outcome.verdict, Verdict::executed) << outcome.reason;
  EXPECT_EQ(sum, 5);
}

TEST_F(ExecuteEvent, OfABatchTheWorstOutcomeCounts) {
  const Outcome outcome = execute({{"content-type", "application/cloudevents-batch+json"}},
                                  "[" + event(add_five) + "," + event(failing) + "]");
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_EQ(outcome.after, std::chrono::seconds(3));
  EXPECT_EQ(sum, 5);
}

TEST_F(ExecuteEvent, AMalformedTraceOfTheCallerHidesNoneOfTheRequest) {
  const std::string of_request = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const std::string of_caller = "00-105445aa7843bc8bf206b12000100000-00f067aa0ba902b7-01";
  const auto trace = [&](const std::string& carried) {
    const Outcome outcome = execute(
        {{"traceparent", of_request}},
        R"({"message":{"data":"eyJmdW5jdGlvbiI6ImV4ZWN1dGVfZXZlbnRfdGVzdC5ub3RlIiwiYXJncyI6W119","attributes":)"
        R"({"googclient_traceparent":")" +
            carried + R"("}}})");
    EXPECT_EQ(outcome.verdict, Verdict::executed) << outcome.reason;
    return traced;
  };
  EXPECT_EQ(trace(of_caller), of_caller);
  EXPECT_EQ(trace("malformed"), of_request);
  EXPECT_EQ(trace("00-00000000000000000000000000000000-0000000000000000-00"), of_request);
}

TEST_F(ExecuteEvent, RejectsWhatIsNoEvent) {
  const Outcome outcome = execute({}, "hello");
  EXPECT_EQ(outcome.verdict, Verdict::reject);
  EXPECT_THAT(outcome.reason, HasSubstr("the request's body "));
}

}  // namespace
}  // namespace cfd
