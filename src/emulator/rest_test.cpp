#include "emulator/rest.hpp"

#include <boost/json.hpp>

#include <cfd/error.hpp>

#include "emulator/broker_fixture.hpp"
#include "emulator/declaration.hpp"
#include "emulator/site.hpp"

namespace cfd::emulator {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RestTest : public BrokerFixture {
 protected:
  json::value ok(std::string_view method, std::string_view target, const std::string& body = {}) {
    const auto answer = rest.handle(method, target, body);
    EXPECT_EQ(answer.status, 200U) << method << " " << target << ": " << answer.body;
    return json::parse(answer.body);
  }
  unsigned code(std::string_view method, std::string_view target, const std::string& body = {}) {
    const auto answer = rest.handle(method, target, body);
    if (answer.status != 200) {
      EXPECT_EQ(json::parse(answer.body).at("error").at("code").to_number<unsigned>(), answer.status);
    }
    return answer.status;
  }

  Schemas schemas{clock};
  IamPolicies policies{[this](const std::string& name) { return broker.exists(name); }};
  Rest rest{broker, schemas, policies};
};

TEST_F(RestTest, PublishesPullsAndAcknowledges) {
  ok("PUT", "/v1/projects/p/topics/rest");
  ok("PUT", "/v1/projects/p/subscriptions/rest",
     R"({"topic": "projects/p/topics/rest", "ackDeadlineSeconds": 20})");
  EXPECT_EQ(ok("GET", "/v1/projects/p/subscriptions/rest").at("ackDeadlineSeconds").as_int64(), 20);
  const auto published = ok("POST", "/v1/projects/p/topics/rest:publish",
                            R"({"messages": [{"data": "aGVsbG8=", "attributes": {"k": "v"}}]})");
  const auto pulled = ok("POST", "/v1/projects/p/subscriptions/rest:pull", R"({"maxMessages": 5})");
  const auto& received = pulled.at("receivedMessages").as_array();
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].at("message").at("data").as_string(), "aGVsbG8=");
  EXPECT_EQ(received[0].at("message").at("messageId"), published.at("messageIds").as_array()[0]);
  ok("POST", "/v1/projects/p/subscriptions/rest:acknowledge",
     json::serialize(json::object{{"ackIds", {received[0].at("ackId")}}}));
  EXPECT_FALSE(ok("POST", "/v1/projects/p/subscriptions/rest:pull", R"({"maxMessages": 5})")
                   .as_object()
                   .contains("receivedMessages"));
}

TEST_F(RestTest, ManagesResources) {
  ok("PUT", "/v1/projects/p/topics/rest");
  EXPECT_EQ(code("PUT", "/v1/projects/p/topics/rest"), 409U);
  ok("PATCH", "/v1/projects/p/topics/rest", R"({"topic": {"labels": {"a": "b"}}, "updateMask": "labels"})");
  EXPECT_EQ(ok("GET", "/v1/projects/p/topics/rest").at("labels").at("a").as_string(), "b");
  const auto page = ok("GET", "/v1/projects/p/topics?pageSize=1");
  EXPECT_THAT(page.at("topics").as_array(), SizeIs(1));
  const auto token = std::string(page.at("nextPageToken").as_string());
  EXPECT_THAT(ok("GET", "/v1/projects/p/topics?pageSize=1&pageToken=" + token).at("topics").as_array(),
              SizeIs(1));
  ok("PUT", "/v1/projects/p/subscriptions/rest", R"({"topic": "projects/p/topics/rest"})");
  EXPECT_THAT(ok("GET", "/v1/projects/p/topics/rest/subscriptions").at("subscriptions").as_array(),
              SizeIs(1));
  ok("PUT", "/v1/projects/p/snapshots/rest", R"({"subscription": "projects/p/subscriptions/rest"})");
  ok("POST", "/v1/projects/p/subscriptions/rest:seek", R"({"snapshot": "projects/p/snapshots/rest"})");
  ok("POST", "/v1/projects/p/subscriptions/rest:detach");
  EXPECT_EQ(code("POST", "/v1/projects/p/subscriptions/rest:pull", R"({"maxMessages": 5})"), 400U);
  ok("POST", "/v1/projects/p/topics/rest:setIamPolicy",
     R"({"policy": {"bindings": [{"role": "r", "members": ["m"]}]}})");
  EXPECT_EQ(ok("GET", "/v1/projects/p/topics/rest:getIamPolicy")
                .at("bindings")
                .as_array()[0]
                .at("role")
                .as_string(),
            "r");
  ok("DELETE", "/v1/projects/p/topics/rest");
  EXPECT_EQ(code("GET", "/v1/projects/p/topics/rest"), 404U);
}

TEST_F(RestTest, ServesSchemas) {
  ok("POST", "/v1/projects/p/schemas?schemaId=number", R"({"type": "AVRO", "definition": "\"int\""})");
  EXPECT_EQ(ok("GET", "/v1/projects/p/schemas/number").at("type").as_string(), "AVRO");
  ok("POST", "/v1/projects/p/schemas:validateMessage",
     R"({"name": "projects/p/schemas/number", "message": "Nw==", "encoding": "JSON"})");
  EXPECT_EQ(
      code("POST", "/v1/projects/p/schemas:validate", R"({"schema": {"type": "AVRO", "definition": "{"}})"),
      400U);
}

TEST_F(RestTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(code("GET", "/v1/projects/p/nothing"), 404U);
  EXPECT_EQ(code("GET", "/v1/"), 404U);
  EXPECT_EQ(code("POST", "/v1/projects/p/topics/topic:dance"), 404U);
  EXPECT_EQ(code("POST", "/v1/projects/p/topics/topic:publish", "{"), 400U);
  EXPECT_EQ(code("POST", "/v1/projects/p/topics/topic:publish", "{}"), 400U);
  EXPECT_EQ(code("PUT", "/v1/projects/p/topics/a%20b"), 400U);
}

TEST_F(RestTest, RefusesWhatTheServiceRefuses) {
  EXPECT_EQ(code("GET", "/v1/projects/p/topics?pageSize=many"), 400U);
  EXPECT_EQ(code("GET", "/v1/projects/p/topics?size=1"), 400U);
  EXPECT_EQ(code("PUT", "/v1/projects/p/topics/rest", R"({"labls": {"a": "b"}})"), 400U);
  EXPECT_EQ(code("PATCH", "/v1/projects/p/topics/topic", R"({"topic": {}, "updateMask": "name"})"), 400U);
  ok("GET", "/v1/projects/p/topics?page_size=1&$alt=json&prettyPrint=false");
}

TEST_F(RestTest, NamesTheAckIdsThatHaveEnded) {
  auto wanted = subscription();
  wanted.set_enable_exactly_once_delivery(true);
  create(wanted);
  publish("a");
  const auto delivery = pull().at(0);
  const auto ack_id = to_ack_id(delivery.token);
  ack(delivery);
  const auto answer = rest.handle("POST", "/v1/projects/p/subscriptions/sub:acknowledge",
                                  json::serialize(json::object{{"ackIds", {ack_id}}}));
  EXPECT_EQ(answer.status, 400U);
  const auto details = json::parse(answer.body).at("error").at("details").as_array();
  ASSERT_THAT(details, SizeIs(1));
  EXPECT_EQ(details[0].at("metadata").at(ack_id).as_string(), "PERMANENT_FAILURE_INVALID_ACK_ID");
}

TEST_F(RestTest, DeletesARevisionOfASchema) {
  ok("POST", "/v1/projects/p/schemas?schemaId=number", R"({"type": "AVRO", "definition": "\"int\""})");
  const auto first = std::string(ok("GET", "/v1/projects/p/schemas/number").at("revisionId").as_string());
  ok("POST", "/v1/projects/p/schemas/number:commit",
     R"({"schema": {"name": "projects/p/schemas/number", "type": "AVRO", "definition": "\"long\""}})");
  EXPECT_THAT(ok("GET", "/v1/projects/p/schemas/number:listRevisions").at("schemas").as_array(), SizeIs(2));
  ok("DELETE", "/v1/projects/p/schemas/number@" + first + ":deleteRevision");
  EXPECT_THAT(ok("GET", "/v1/projects/p/schemas/number:listRevisions").at("schemas").as_array(), SizeIs(1));
}

class DeclarationTest : public BrokerFixture {};

TEST_F(DeclarationTest, CreatesAndThenChanges) {
  const std::string text =
      "project: q\n"
      "topics:\n"
      "  - name: work\n"
      "  - name: dead\n"
      "    labels: {team: \"7\"}\n"
      "subscriptions:\n"
      "  - name: worker\n"
      "    topic: work\n"
      "    ackDeadlineSeconds: 30\n"
      "    filter: attributes.kind = \"a\"\n"
      "    deadLetterPolicy: {deadLetterTopic: dead, maxDeliveryAttempts: 7}\n";
  apply_declaration(text, "unused", broker);
  apply_declaration(text, "unused", broker);
  v1::GetSubscriptionRequest request;
  request.set_subscription("projects/q/subscriptions/worker");
  v1::Subscription found;
  ASSERT_TRUE(broker.get_subscription(request, found).ok());
  EXPECT_EQ(found.topic(), "projects/q/topics/work");
  EXPECT_EQ(found.ack_deadline_seconds(), 30);
  EXPECT_EQ(found.dead_letter_policy().dead_letter_topic(), "projects/q/topics/dead");
  EXPECT_EQ(found.dead_letter_policy().max_delivery_attempts(), 7);
  EXPECT_EQ(found.filter(), "attributes.kind = \"a\"");
  auto changed = text;
  changed.replace(changed.find("30"), 2, "40");
  apply_declaration(changed, "unused", broker);
  ASSERT_TRUE(broker.get_subscription(request, found).ok());
  EXPECT_EQ(found.ack_deadline_seconds(), 40);
}

TEST_F(DeclarationTest, SaysWhatIsWrong) {
  const auto error_of = [&](const std::string& text) -> std::string {
    try {
      apply_declaration(text, "p", broker);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of("topics: [\n"), HasSubstr("line "));
  EXPECT_THAT(error_of("topisc: []"), HasSubstr("topisc"));
  EXPECT_EQ(error_of("topics:\nsubscriptions: []"), "no error");
  EXPECT_EQ(error_of("topics: []\nsubscriptions: 7"), "line 2: subscriptions is no list of entries");
  EXPECT_EQ(error_of("topics: {name: topic}"), "line 1: topics is no list of entries");
  EXPECT_THAT(error_of("topics: [{nam: x}]"), HasSubstr("a map with a name"));
  EXPECT_THAT(error_of("subscriptions: [{name: sub, topic: missing}]"),
              HasSubstr("projects/p/topics/missing"));
  EXPECT_THAT(error_of("subscriptions: [{name: sub, topic: topic, ackDeadline: 5}]"),
              HasSubstr("ackDeadline"));
}

}  // namespace
}  // namespace cfd::emulator
