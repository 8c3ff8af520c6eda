#include "http/push_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cfd::http {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A body and what was read from it, which views into the body.
struct Parsed {
  std::string body;
  Delivery delivery;
  std::string fault;

  explicit Parsed(std::string text) : body(std::move(text)) { fault = parse_push(body, delivery); }
  const Event& event() const { return delivery.messages.at(0).event; }
};

TEST(PushBody, ThePushThatGoogleDocuments) {
  const Parsed p(R"({"message":{"attributes":{"function":"functions.my_func","k":"v"},"data":"SGVsbG8=",
    "messageId":"2070443601311540","message_id":"2070443601311540","orderingKey":"key",
    "publishTime":"2021-02-26T19:13:55.749Z","publish_time":"2021-02-26T19:13:55.749Z"},
    "subscription":"projects/myproject/subscriptions/mysubscription","deliveryAttempt":5})");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().id, "2070443601311540");
  EXPECT_EQ(p.event().publish_time, "2021-02-26T19:13:55.749Z");
  EXPECT_EQ(p.event().subscription, "projects/myproject/subscriptions/mysubscription");
  EXPECT_EQ(p.event().ordering_key, "key");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().delivery_attempt, 5);
  EXPECT_EQ(p.event().attributes.size(), 2U);
  EXPECT_EQ(p.event().attribute("function"), "functions.my_func");
}

TEST(PushBody, EitherSpellingAndMembersLeftOut) {
  const Parsed p(
      R"({"message":{"message_id":"1","publish_time":"t","ordering_key":"o","unknown":[{"data":1}]},"x":null})");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().id, "1");
  EXPECT_EQ(p.event().publish_time, "t");
  EXPECT_EQ(p.event().ordering_key, "o");
  EXPECT_EQ(p.event().data, "");
  EXPECT_EQ(p.event().delivery_attempt, 0);
}

TEST(PushBody, EscapesInKeysValuesAndData) {
  const Parsed p(
      R"({"mess\u0061ge":{"data":"SGVs\u0062G8\u003d","attributes":{"\u00e4\n":"\ud83c\udf89\/"},"messageId":"1"}})");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().attribute("ä\n"), "🎉/");
}

TEST(PushBody, ALargeMessageIsDecodedWhereItStands) {
  std::string data(13'333'332, 'A');
  const Parsed p("{\"message\":{\"data\":\"" + data + "\"}}");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data.size(), 9'999'999U);
  EXPECT_GE(p.event().data.data(), p.body.data());
  EXPECT_LT(p.event().data.data(), p.body.data() + p.body.size());
}

TEST(PushBody, FaultsSayWhatIsWrong) {
  const auto fault = [](const std::string& body) {
    const Parsed p(body);
    EXPECT_THAT(p.delivery.messages, IsEmpty()) << body;
    return p.fault;
  };
  EXPECT_THAT(fault(""), HasSubstr("ends too early"));
  EXPECT_THAT(fault("{\"message\":{"), HasSubstr("ends too early"));
  EXPECT_THAT(fault("hello"), HasSubstr("is no JSON"));
  EXPECT_THAT(fault("{\"message\":{}} x"), HasSubstr("byte"));
  EXPECT_THAT(fault("[]"), HasSubstr("is no Pub/Sub push"));
  EXPECT_THAT(fault("\"message\""), HasSubstr("is no Pub/Sub push"));
  EXPECT_THAT(fault("{}"), HasSubstr("no member \"message\""));
  EXPECT_THAT(fault(R"({"message":"x"})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{"data":7}})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{"data":{}}})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{"attributes":{"k":1}}})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{"attributes":["k"]}})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{},"deliveryAttempt":-1})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{},"deliveryAttempt":99999999999})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"({"message":{"data":"SGVsbG8"}})"), HasSubstr("no base64"));
  EXPECT_THAT(fault(R"({"message":{"data":"A===","data":"AAAA"}})"), HasSubstr("twice"));
  EXPECT_THAT(fault(R"({"message":{},"message":{}})"), HasSubstr("twice"));
  EXPECT_THAT(fault(R"({"message":{"attributes":{"a":"1","a":"2"}}})"), HasSubstr("twice"));
  EXPECT_THAT(fault("{\"message\":{\"messageId\":\"\xff\"}}"), HasSubstr("is no JSON"));
  EXPECT_THAT(fault("{\"x\":" + std::string(40, '[') + std::string(40, ']') + "}"), HasSubstr("nested"));
}

// base64 of {"message":{"data":"SGVsbG8=","messageId":"7","attributes":{"a":"b"}},"subscription":"s"}
constexpr const char* encoded =
    "eyJtZXNzYWdlIjp7ImRhdGEiOiJTR1ZzYkc4PSIsIm1lc3NhZ2VJZCI6Ijci"
    "LCJhdHRyaWJ1dGVzIjp7ImEiOiJiIn19LCJzdWJzY3JpcHRpb24iOiJzIn0=";

TEST(PushBody, ACloudEventWhosePushIsBase64) {
  const Parsed p(std::string(R"({"specversion":"1.0","id":"e1","time":"2026","data":null,"data_base64":")") +
                 encoded + "\"}");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().id, "7");
  EXPECT_EQ(p.event().publish_time, "2026");
  EXPECT_EQ(p.event().subscription, "s");
  EXPECT_EQ(p.event().attribute("a"), "b");
  EXPECT_GE(p.event().data.data(), p.body.data());
  EXPECT_LT(p.event().data.data(), p.body.data() + p.body.size());
}

TEST(PushBody, ACloudEventWhosePushIsBase64WithEscapes) {
  // What JSON encoders that escape '/' and '=' make of it; the push has an escape of its own.
  // {"message":{"data":"SGVsbG8\u003d","messageId":"\u0037???"}}
  const Parsed p(
      R"({"id":"e1","data_base64":"eyJtZXNzYWdlIjp7ImRhdGEiOiJTR1ZzYkc4XHUwMDNkIiwibWVzc2FnZUlkIjoiXHUwMDM3Pz8\/In19"})");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().id, "7???");
}

TEST(PushBody, ACloudEventWhoseBackgroundEventIsBase64) {
  const Parsed p(R"({"id":"e1","data_base64":"eyJkYXRhIjoiU0dWc2JHOD0ifQ=="})");  // {"data":"SGVsbG8="}
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().id, "e1");
}

TEST(PushBody, FaultsOfBase64EventsSayWhatIsWrong) {
  const auto fault = [](const std::string& members) {
    const Parsed p("{\"id\":\"e1\"," + members + "}");
    EXPECT_THAT(p.delivery.messages, IsEmpty()) << members;
    return p.fault;
  };
  const std::string good = std::string("\"data_base64\":\"") + encoded + "\"";
  EXPECT_THAT(fault(good + R"(,"data":{"message":{}})"), HasSubstr("both \"data\" and \"data_base64\""));
  EXPECT_THAT(fault(R"("data":{"message":{}},)" + good), HasSubstr("both \"data\" and \"data_base64\""));
  EXPECT_THAT(fault(good + "," + good), HasSubstr("twice"));
  EXPECT_THAT(fault(R"("data_base64":"e30")"), HasSubstr("data_base64 that is no base64"));
  EXPECT_THAT(fault(R"("data_base64":{})"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"("data_base64":7)"), HasSubstr("another type"));
  EXPECT_THAT(fault(R"("data_base64":"")"), HasSubstr("data_base64 that is JSON that ends too early"));
  EXPECT_THAT(fault(R"("data_base64":"aGVsbG8=")"), HasSubstr("data_base64 that is no JSON"));
  EXPECT_THAT(fault(R"("data_base64":"bnVsbA==")"), HasSubstr("no member \"message\""));  // null
  EXPECT_THAT(fault(R"("data_base64":"W10=")"), HasSubstr("another type"));               // []
  EXPECT_THAT(fault(R"("data_base64":"eyJtZXNzYWdlIjp7ImRhdGEiOiJ4In19")"),
              HasSubstr("no base64"));  // {"message":{"data":"x"}}
}

TEST(PushBody, Base64WithinBase64IsNoEvent) {
  // {"data_base64":"e30="}: an unknown member, whatever it holds, and so a push of nothing.
  const Parsed p(R"({"id":"e1","data_base64":"eyJkYXRhX2Jhc2U2NCI6ImUzMD0ifQ=="})");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, "");
  EXPECT_EQ(p.event().id, "e1");
}

TEST(PushBody, AttributesAreBounded) {
  const auto with = [](int count) {
    std::string body = R"({"message":{"attributes":{)";
    for (int i = 0; i < count; ++i) body += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"v\"";
    return Parsed(body + "}}}");
  };
  EXPECT_EQ(with(128).fault, "");
  EXPECT_THAT(with(129).fault, HasSubstr("more than 128 attributes"));
}

}  // namespace
}  // namespace cfd::http
