#include <atomic>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>
#include <cfd/error.hpp>
#include <cfd/execute.hpp>

namespace cfd {
namespace {

using testing::HasSubstr;

std::atomic<int> sum = 0;

const auto add = dispatch("execute_event_test.add", [](int n) { sum += n; });
const auto fail = dispatch("execute_event_test.fail", [] { throw Retry("later", std::chrono::seconds(3)); });

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

TEST_F(ExecuteEvent, OfABatchTheWorstOutcomeCounts) {
  const Outcome outcome = execute({{"content-type", "application/cloudevents-batch+json"}},
                                  "[" + event(add_five) + "," + event(failing) + "]");
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_EQ(outcome.after, std::chrono::seconds(3));
  EXPECT_EQ(sum, 5);
}

TEST_F(ExecuteEvent, RejectsWhatIsNoEvent) {
  const Outcome outcome = execute({}, "hello");
  EXPECT_EQ(outcome.verdict, Verdict::reject);
  EXPECT_THAT(outcome.reason, HasSubstr("the request's body "));
}

}  // namespace
}  // namespace cfd
