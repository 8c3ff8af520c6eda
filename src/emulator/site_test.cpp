#include "emulator/site.hpp"

#include <boost/json.hpp>

#include "emulator/broker_fixture.hpp"
#include "emulator/iam.hpp"
#include "emulator/oidc.hpp"
#include "emulator/rest.hpp"
#include "emulator/schemas.hpp"

namespace cfd::emulator {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class SiteTest : public BrokerFixture {
 protected:
  WebAnswer request(std::string_view method, std::string_view target, const std::string& body = {},
                    RequestSource source = {.host = "localhost:8086", .content_type = "application/json"}) {
    return site.handle({method, target, source, body});
  }
  json::value get(std::string_view target) {
    const auto answer = request("GET", target);
    EXPECT_EQ(answer.status, 200U) << target << ": " << answer.body;
    return json::parse(answer.body);
  }

  Schemas schemas{clock};
  IamPolicies policies{[this](const std::string& name) { return broker.exists(name); }};
  Rest rest{broker, schemas, policies};
  OidcSigner signer{clock};
  Site site{broker, rest, signer, "127.0.0.1"};
};

TEST_F(SiteTest, HasThePagesFigures) {
  create(subscription());
  publish("a");
  publish("b");
  ack(pull(test_subscription, 1)[0]);
  const auto state = get("/state");
  EXPECT_EQ(state.at("topics").as_array()[0].at("published").to_number<int>(), 2);
  const auto& queue_state = state.at("subscriptions").as_array()[0];
  EXPECT_EQ(queue_state.at("backlog").to_number<int>(), 1);
  EXPECT_EQ(queue_state.at("acknowledged").to_number<int>(), 1);
  EXPECT_EQ(queue_state.at("oldest").as_string(), "2020-09-13T12:26:40.000Z");
}

TEST_F(SiteTest, ServesThePage) {
  const auto page = request("GET", "/");
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("</html>"));
  EXPECT_EQ(request("GET", "/page.js").type, "text/javascript; charset=utf-8");
  EXPECT_EQ(request("GET", "/page.css").type, "text/css; charset=utf-8");
  EXPECT_EQ(request("GET", "/nothing").status, 404U);
  EXPECT_EQ(request("POST", "/").status, 404U);
}

TEST_F(SiteTest, TellsTheLifeOfAMessage) {
  create(subscription());
  publish(R"({"function": "functions.my_func", "args": [1, 2]})");
  nack(pull()[0]);
  ack(pull()[0]);
  const auto messages = get("/messages").at("messages").as_array();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].at("call").as_string(), "functions.my_func(1, 2)");
  EXPECT_EQ(messages[0].at("topic").as_string(), test_topic);
  std::vector<std::string> steps;
  for (const auto& step : messages[0].at("steps").as_array()) {
    EXPECT_EQ(step.at("subscription").as_string(), test_subscription);
    steps.emplace_back(step.at("step").as_string());
  }
  EXPECT_THAT(steps, ::testing::ElementsAre("delivered", "nacked", "delivered", "acknowledged"));
  const auto id = std::string(messages[0].at("id").as_string());
  EXPECT_THAT(std::string(get("/messages/" + id).at("data").as_string()),
              ::testing::StartsWith("eyJmdW5jdGlv"));
  EXPECT_EQ(request("GET", "/messages/1").status, 404U);
  EXPECT_EQ(request("GET", "/messages/x").status, 404U);
}

TEST_F(SiteTest, ListsTheNewestMessagesFirst) {
  for (int i = 0; i < 150; ++i) publish(std::to_string(i));
  const auto messages = get("/messages").at("messages").as_array();
  ASSERT_THAT(messages, SizeIs(100));
  EXPECT_EQ(messages[0].at("text").as_string(), "149");
  EXPECT_THAT(get("/messages?limit=120").at("messages").as_array(), SizeIs(120));
}

TEST_F(SiteTest, SaysWhyAMessageIsADeadLetter) {
  create_topic("projects/p/topics/dead");
  auto wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/dead");
  create(wanted);
  publish("poison");
  nack(pull()[0]);
  for (int i = 0; i < 4; ++i) {
    pull();
    advance(std::chrono::seconds{11});
  }
  const auto letters = get("/dead-letters").at("deadLetters").as_array();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].at("reason").as_string(), "nacked once, its deadline passed 4 times");
  EXPECT_EQ(letters[0].at("sourceTopic").as_string(), test_topic);
  EXPECT_EQ(letters[0].at("text").as_string(), "poison");
}

TEST_F(SiteTest, AnswersNoOtherSite) {
  const std::string body = R"({"messages": [{"data": "YQ=="}]})";
  const auto publish_from = [&](RequestSource source) {
    return request("POST", "/v1/projects/p/topics/topic:publish", body, source).status;
  };
  EXPECT_EQ(publish_from({.host = "localhost:8086", .content_type = "application/json"}), 200U);
  EXPECT_EQ(
      publish_from(
          {.host = "localhost:8086", .origin = "http://localhost:8086", .content_type = "application/json"}),
      200U);
  EXPECT_EQ(
      publish_from(
          {.host = "localhost:8086", .origin = "https://evil.example", .content_type = "application/json"}),
      403U);
  EXPECT_EQ(publish_from({.host = "evil.example:8086",
                          .origin = "http://evil.example:8086",
                          .content_type = "application/json"}),
            403U);
  EXPECT_EQ(publish_from({.host = "localhost:8086", .content_type = "text/plain"}), 415U);
  EXPECT_EQ(publish_from({.host = "localhost:8086"}), 415U);
  EXPECT_EQ(request("POST", "/faults", "{}",
                    {.host = "localhost", .origin = "null", .content_type = "application/json"})
                .status,
            403U);
  EXPECT_EQ(request("GET", "/state", {}, {.host = "evil.example"}).status, 403U);
  EXPECT_EQ(request("GET", "/state", {}, {.host = "localhost", .fetch_site = "cross-site"}).status, 403U);
  EXPECT_EQ(request("GET", "/", {}, {.host = "localhost", .fetch_site = "cross-site"}).status, 200U);
}

TEST_F(SiteTest, TakesFaults) {
  EXPECT_EQ(request("POST", "/faults", R"({"method": "Publish", "code": 14})").status, 200U);
  EXPECT_EQ(request("POST", "/faults", R"({"method": 1})").status, 400U);
  EXPECT_EQ(request("POST", "/faults", "[]").status, 400U);
  EXPECT_EQ(request("POST", "/faults", "{}").status, 200U);
}

}  // namespace
}  // namespace cfd::emulator
