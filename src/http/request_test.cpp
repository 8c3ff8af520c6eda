#include "http/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cfd::http {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* push =
    R"({"message":{"data":"SGVsbG8=","messageId":"7","publishTime":"t","attributes":{"a":"b"}},"subscription":"projects/p/subscriptions/s"})";

struct Parsed {
  std::string body;
  std::vector<Header> headers;
  Delivery delivery;
  std::string fault;

  Parsed(std::vector<Header> given, std::string text) : body(std::move(text)), headers(std::move(given)) {
    fault = parse_request(headers, body, delivery);
    if (!fault.empty()) {
      EXPECT_THAT(delivery.messages, IsEmpty());
    }
  }
  const Event& event(std::size_t i = 0) const { return delivery.messages.at(i).event; }
};

TEST(Request, AWrappedPush) {
  const Parsed p({{"Content-Type", "application/json"}}, push);
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().attribute("a"), "b");
}

TEST(Request, APushWithoutWrapper) {
  const Parsed p({{"Host", "h"},
                  {"X-Goog-Pubsub-Message-Id", "7"},
                  {"x-goog-pubsub-publish-time", "t"},
                  {"x-goog-pubsub-subscription-name", "projects/p/subscriptions/s"},
                  {"x-goog-pubsub-ordering-key", "k"},
                  {"Authorization", "Bearer secret"},
                  {"function", "functions.my_func"}},
                 std::string("\x92\x01\x00", 3));
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().id, "7");
  EXPECT_EQ(p.event().publish_time, "t");
  EXPECT_EQ(p.event().subscription, "projects/p/subscriptions/s");
  EXPECT_EQ(p.event().ordering_key, "k");
  EXPECT_EQ(p.event().data, std::string_view("\x92\x01\x00", 3));
  EXPECT_EQ(p.event().attribute("function"), "functions.my_func");
  EXPECT_EQ(p.event().attribute("Authorization"), "");
}

TEST(Request, APlainCallWithoutWrapperAndMetadata) {
  const std::string call =
      R"({"function":"functions.my_func","args":[1,{"message":2}],"kwargs":{"data":"!"}})";
  const Parsed p({}, call);
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().data, call);
  EXPECT_EQ(p.event().id, "");
}

TEST(Request, ACloudEventInBinaryMode) {
  const std::vector<Header> headers{{"ce-specversion", "1.0"},
                                    {"CE-ID", "\"e%32\\\"\""},
                                    {"ce-time", "2026"},
                                    {"ce-type", "google.cloud.pubsub.topic.v1.messagePublished"},
                                    {"content-type", "application/json"}};
  const Parsed p(headers, push);
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().id, "7");
  EXPECT_EQ(p.event().data, "Hello");
  const Parsed bare(headers, R"({"message":{"data":"SGVsbG8="}})");
  ASSERT_EQ(bare.fault, "");
  EXPECT_EQ(bare.event().id, "e2\"");
  EXPECT_EQ(bare.event().publish_time, "2026");
  EXPECT_THAT(Parsed({{"ce-specversion", "1.0"}, {"ce-id", "%f"}}, R"({"message":{}})").fault,
              HasSubstr("malformed header ce-id"));
}

TEST(Request, ACloudEventInStructuredMode) {
  const std::string event =
      R"({"specversion":"1.0","id":"e1","source":"//pubsub","type":"t","time":"2026","data":)";
  const Parsed p({{"content-type", "Application/CloudEvents+json; charset=utf-8"}}, event + push + "}");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().id, "7");
  EXPECT_EQ(p.event().subscription, "projects/p/subscriptions/s");
  EXPECT_EQ(p.event().data, "Hello");
  const Parsed bare({{"content-type", "application/cloudevents+json"}}, event + R"({"message":{}}})");
  EXPECT_EQ(bare.event().id, "e1");
}

TEST(Request, CloudEventsInBatchMode) {
  const std::vector<Header> headers{{"Content-Type", "application/cloudevents-batch+json"}};
  const std::string event = std::string(R"({"id":"e","data":)") + push + "}";
  const Parsed p(headers, "[" + event + "," + R"({"id":"e2","data":{"message":{"data":"V29ybGQ="}}})" + "]");
  ASSERT_EQ(p.fault, "");
  ASSERT_THAT(p.delivery.messages, SizeIs(2));
  EXPECT_EQ(p.event(0).data, "Hello");
  EXPECT_EQ(p.event(0).attribute("a"), "b");
  EXPECT_EQ(p.event(1).data, "World");
  EXPECT_EQ(p.event(1).id, "e2");
  EXPECT_EQ(p.event(1).subscription, "");
  EXPECT_THAT(Parsed(headers, "[]").fault, HasSubstr("has none"));
  EXPECT_NE(Parsed(headers, event).fault, "");
  EXPECT_NE(Parsed(headers, R"([{"function":"f","args":[]}])").fault, "");
  std::string many = "[" + event;
  for (int i = 0; i < 1000; ++i) many += "," + event;
  EXPECT_THAT(Parsed(headers, many + "]").fault, HasSubstr("more than 1000"));
}

TEST(Request, CloudEventsWithBase64InStructuredAndBatchMode) {
  // {"message":{"data":"SGVsbG8="}}
  const std::string event = R"({"id":"e1","data_base64":"eyJtZXNzYWdlIjp7ImRhdGEiOiJTR1ZzYkc4PSJ9fQ=="})";
  const Parsed alone({{"content-type", "application/cloudevents+json"}}, event);
  ASSERT_EQ(alone.fault, "");
  EXPECT_EQ(alone.event().data, "Hello");
  const Parsed batch({{"content-type", "application/cloudevents-batch+json"}},
                     "[" + event + R"(,{"id":"e2","data":{"message":{"data":"V29ybGQ="}}},)" + event + "]");
  ASSERT_EQ(batch.fault, "");
  ASSERT_THAT(batch.delivery.messages, SizeIs(3));
  EXPECT_EQ(batch.event(0).data, "Hello");
  EXPECT_EQ(batch.event(1).data, "World");
  EXPECT_EQ(batch.event(1).id, "e2");
  EXPECT_EQ(batch.event(2).data, "Hello");
}

TEST(Request, BackgroundEventsInBothForms) {
  const Parsed p({}, R"({"context":{"eventId":"11","timestamp":"t","eventType":"google.pubsub.topic.publish",
    "resource":{"service":"pubsub.googleapis.com","name":"projects/p/topics/t","type":"x"}},
    "data":{"@type":"type.googleapis.com/google.pubsub.v1.PubsubMessage","attributes":{"a":"b"},"data":"SGVsbG8="}})");
  ASSERT_EQ(p.fault, "");
  EXPECT_EQ(p.event().id, "11");
  EXPECT_EQ(p.event().publish_time, "t");
  EXPECT_EQ(p.event().data, "Hello");
  EXPECT_EQ(p.event().attribute("a"), "b");
  const Parsed old({}, R"({"eventId":"12","timestamp":"t","eventType":"e","resource":"projects/p/topics/t",
    "data":{"data":"SGVsbG8="}})");
  ASSERT_EQ(old.fault, "");
  EXPECT_EQ(old.event().id, "12");
  EXPECT_EQ(old.event().data, "Hello");
}

TEST(Request, TheTraceOfTheRequestIsTheEvents) {
  const std::string wrapped = R"({"message":{"data":"","messageId":"1"}})";
  const auto trace = [&](std::vector<Header> headers) {
    std::string body = wrapped;
    Delivery delivery;
    EXPECT_EQ(parse_request(headers, body, delivery), "");
    return std::string(delivery.messages.at(0).event.trace);
  };
  constexpr const char* w3c = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  constexpr const char* google = "105445aa7843bc8bf206b12000100000/1;o=1";
  EXPECT_EQ(trace({{"X-Cloud-Trace-Context", google}, {"Traceparent", w3c}}), w3c);
  EXPECT_EQ(trace({{"x-cloud-trace-context", google}}), google);
  EXPECT_EQ(trace({}), "");
  // A malformed one hides no valid one.
  EXPECT_EQ(trace({{"x-cloud-trace-context", google}, {"traceparent", "w3c"}}), google);
  EXPECT_EQ(trace({{"x-cloud-trace-context", google}, {"traceparent", google}}), google);
  EXPECT_EQ(trace({{"x-cloud-trace-context", "g"}, {"traceparent", w3c}}), w3c);
  EXPECT_EQ(trace({{"x-cloud-trace-context", "g"}, {"traceparent", "w3c"}}), "");
}

TEST(Request, HeaderValuesAreDecodedAsTheBindingSays) {
  const auto decode = [](std::string_view value) -> std::string {
    std::string decoded;
    return decode_header_value(value, decoded) ? decoded : "refused";
  };
  EXPECT_EQ(decode("plain"), "plain");
  EXPECT_EQ(decode("\"quo\\\"ted\""), "quo\"ted");
  EXPECT_EQ(decode("Euro%20%E2%82%AC%F0%9F%98%80"), "Euro €😀");
  EXPECT_EQ(decode("%2541"), "%41");
  for (const char* bad : {"%", "%4", "%zz", "%C0%A0", "%FF", "%ED%A0%80", "%F4%90%80%80", "\"open", "\"x\\"})
    EXPECT_EQ(decode(bad), "refused") << bad;
}

}  // namespace
}  // namespace cfd::http
