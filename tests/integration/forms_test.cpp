// Every form in which a call arrives over HTTP, at a worker and at a program with a server of its own; and
// what a worker says that is full, or whose functions take too long.
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include <boost/beast/http.hpp>
#include <gmock/gmock.h>

#include "auth/test_key.hpp"
#include "integration/http.hpp"
#include "integration/process.hpp"

namespace cfd::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

// {"function":"t.say","args":["hello"]}
constexpr std::string_view hello = "eyJmdW5jdGlvbiI6InQuc2F5IiwiYXJncyI6WyJoZWxsbyJdfQ==";

std::string message(std::string_view data, std::string_view id = "7") {
  return R"({"data":")" + std::string(data) + R"(","messageId":")" + std::string(id) + R"("})";
}

std::string push(std::string_view data, std::string_view id = "7") {
  return R"({"message":)" + message(data, id) + R"(,"subscription":"projects/p/subscriptions/s"})";
}

std::string event(std::string_view data, std::string_view id) {
  return R"({"specversion":"1.0","id":")" + std::string(id) + R"(","source":"//pubsub","type":"t","data":)" +
         push(data, id) + "}";
}

Request with(Request request, std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
  for (const auto& [name, value] : headers)
    request.set(boost::beast::string_view(name.data(), name.size()),
                boost::beast::string_view(value.data(), value.size()));
  return request;
}

struct Form {
  std::string name;
  std::function<Request()> request;
  std::string id = "7";  ///< of the event, as the log has it
  std::size_t times = 1;
};

std::vector<Form> forms() {
  return {
      {"wrapped", [] { return post(push(hello)); }},
      {"unwrapped", [] { return post(R"({"function":"t.say","args":["hello"]})"); }, ""},
      {"unwrapped_with_metadata",
       [] {
         return with(post(R"({"args":["hello"],"function":"t.say"})"),
                     {{"x-goog-pubsub-subscription-name", "projects/p/subscriptions/s"},
                      {"x-goog-pubsub-message-id", "8"},
                      {"x-goog-pubsub-publish-time", "2026-01-01T00:00:00Z"}});
       },
       "8"},
      {"cloud_event_binary",
       [] {
         return with(post(R"({"message":{"data":")" + std::string(hello) + R"("}})"),
                     {{"CE-SpecVersion", "1.0"},
                      {"ce-id", R"("caf%C3%A9 %22e1\"")"},
                      {"ce-source", "//pubsub"},
                      {"ce-type", "google.cloud.pubsub.topic.v1.messagePublished"},
                      {"Content-Type", "Application/JSON; charset=UTF-8"}});
       },
       "caf\u00e9 \"e1\""},
      {"cloud_event_structured",
       [] {
         return with(post(event(hello, "9")),
                     {{"Content-Type", "Application/CloudEvents+JSON; charset=utf-8"}});
       },
       "9"},
      {"cloud_events_in_a_batch",
       [] {
         return with(post("[" + event(hello, "10") + "," + event(hello, "11") + "]"),
                     {{"content-type", "application/cloudevents-batch+json"}});
       },
       "11", 2},
      {"background_event",
       [] {
         return post(
             R"({"context":{"eventId":"12","timestamp":"2026-01-01T00:00:00Z",)"
             R"("eventType":"google.pubsub.topic.publish","resource":{"name":"projects/p/topics/t"}},)"
             R"("data":{"@type":"type.googleapis.com/google.pubsub.v1.PubsubMessage","data":")" +
             std::string(hello) + R"("}})");
       },
       "12"},
      {"background_event_of_old",
       [] {
         return post(R"({"eventId":"13","timestamp":"2026-01-01T00:00:00Z","eventType":"e",)"
                     R"("resource":"projects/p/topics/t","data":{"data":")" +
                     std::string(hello) + R"("}})");
       },
       "13"},
      {"more_than_ten_megabytes_of_base64",
       [] {
         // A call of t.echo with blanks inside, as base64 of as many blanks: 10,500,000 bytes decoded.
         std::string data =
             "eyJmdW5jdGlvbiI6InQuc2F5IiwiYXJncyI6WyJoZWxsbyJd";  // {"function":"t.say","args":["hello"]
         for (int i = 0; i < 3'500'000; ++i) data += "ICAg";
         return post(push(data + "fQ==", "14"));  // }
       },
       "14"},
  };
}

// Both kinds of program take the same requests.
class FormsTest : public testing::TestWithParam<const char*> {
 protected:
  bool own_server() const { return GetParam() == std::string_view("own_server"); }

  std::vector<std::string> command() {
    if (own_server()) return {CFD_TEST_FRAMEWORK, directory_ / "ready"};
    return {CFD_TEST_WORKER, "--port", "0", "--ready-file", directory_ / "ready"};
  }

  TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(By, FormsTest, testing::Values("worker", "own_server"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(FormsTest, EachIsExecuted) {
  Process program(command());
  const std::string port = wait_for_file(directory_ / "ready", program);
  std::size_t said = 0;
  for (const Form& form : forms()) {
    SCOPED_TRACE(form.name);
    EXPECT_EQ(answer_of(port, form.request()).result_int(), 204);
    said += form.times;
    program.wait_for("said hello", said);
    if (!form.id.empty()) {
      EXPECT_THAT(program.output(), HasSubstr("received event " + form.id + " "));
    }
  }
  EXPECT_EQ(count(program.output(), "said hello"), said);
}

TEST_P(FormsTest, WhatIsNoneOfThemIsRejectedAndExecutedByNobody) {
  Process program(command());
  const std::string port = wait_for_file(directory_ / "ready", program);
  const unsigned malformed = own_server() ? 422 : 400;
  EXPECT_EQ(answer_of(port, post("hello")).result_int(), malformed);
  EXPECT_EQ(
      answer_of(port, with(post(event(hello, "1")), {{"content-type", "application/cloudevents-batch+json"}}))
          .result_int(),
      malformed);
  EXPECT_EQ(answer_of(port, with(post(R"({"message":{"data":"aGVsbG8="}})"),
                                 {{"ce-specversion", "1.0"}, {"ce-id", "%f"}}))
                .result_int(),
            malformed);
  EXPECT_EQ(answer_of(port, post(push("bm8gY2FsbA=="))).result_int(), 422) << "no call";
  EXPECT_THAT(program.output(), Not(HasSubstr("said hello")));
}

TEST_P(FormsTest, AFunctionHasItsTimeAndNoMore) {
  Process program(command(), {{"CLOUD_FUNCTIONS_DISPATCH_FUNCTION_TIMEOUT", "50ms"}});
  const std::string port = wait_for_file(directory_ / "ready", program);
  const Response late = answer_of(port, post(R"({"function":"t.until_stopped","args":[]})"));
  EXPECT_EQ(late.result_int(), 503);
  EXPECT_THAT(late.body(), Not(HasSubstr("50ms"))) << "reasons are for the log";
  program.wait_for("was asked to stop");
  program.wait_for("has run for 50ms, its time is over");
  EXPECT_EQ(answer_of(port, post(push(hello))).result_int(), 204);
}

TEST_P(FormsTest, WhereTokensAreAskedForNothingRunsWithoutOne) {
  const auth::TestKey key("k1");
  std::ofstream(directory_ / "keys.json") << auth::key_set(key);
  Process program(command(),
                  {{"CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_EMAIL", "pusher@example.com"},
                   {"CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_AUDIENCE", "https://worker"},
                   {"CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_KEYS", "file:" + (directory_ / "keys.json")}});
  const std::string port = wait_for_file(directory_ / "ready", program);
  const std::string good = "Bearer " + key.sign(auth::good_claims());
  EXPECT_EQ(answer_of(port, post(push(hello))).result_int(), own_server() ? 422 : 401);
  EXPECT_EQ(answer_of(port, with(post(push(hello)), {{"authorization", good + "x"}})).result_int(),
            own_server() ? 422 : 401);
  EXPECT_THAT(program.output(), Not(HasSubstr("said hello")));
  EXPECT_EQ(answer_of(port, with(post(push(hello)), {{"Authorization", good}})).result_int(), 204);
  program.wait_for("said hello");
}

TEST(FullWorker, SaysSoAndAnswersHealthChecksMeanwhile) {
  const TemporaryDirectory directory;
  Process worker({CFD_TEST_WORKER, "--port", "0", "--metrics-port", "0", "--threads", "1", "--queue", "1",
                  "--ready-file", directory / "ready"});
  const std::string port = wait_for_file(directory / "ready", worker);
  const std::string metrics_port = metrics_port_of(worker);
  const std::string gate = directory / "gate";
  const auto wait_at_gate = [&] {
    return answer_of(port, post(R"({"function":"t.wait_for_gate","args":[")" + gate + R"("]})")).result_int();
  };
  auto running = std::async(std::launch::async, wait_at_gate);
  worker.wait_for("waiting at the gate");
  auto queued = std::async(std::launch::async, wait_at_gate);
  const auto get = [](const char* target) { return Request(boost::beast::http::verb::get, target, 11); };
  const auto end = std::chrono::steady_clock::now() + patience;
  while (answer_of(metrics_port, get("/metrics")).body().find("cfd_queue_depth 1\n") == std::string::npos &&
         std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(wait_at_gate(), 429U);
  EXPECT_EQ(answer_of(port, get("/healthz")).result_int(), 200U);
  std::ofstream(gate) << "open";
  EXPECT_EQ(running.get(), 204U);
  EXPECT_EQ(queued.get(), 204U);
}

}  // namespace
}  // namespace cfd::integration
