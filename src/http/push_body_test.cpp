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
