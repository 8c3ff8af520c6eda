#include "emulator/message.hpp"

#include <gmock/gmock.h>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/wire.hpp"

namespace cfd::emulator {
namespace {

using ::testing::HasSubstr;
namespace v1 = pubsub::v1;

constexpr Time now{std::chrono::seconds{1'600'000'000} + std::chrono::nanoseconds{5}};

Status publish(const v1::PublishRequest& request, BatchPtr& batch) {
  const auto bytes = request.SerializeAsString();
  PublishParts parts;
  auto status = split_publish_request(bytes, parts);
  if (status.ok()) status = check_messages(parts);
  if (status.ok()) batch = build_batch(parts, 100, now);
  return status;
}

v1::PublishRequest request_of(int count) {
  v1::PublishRequest request;
  request.set_topic("projects/p/topics/ttt");
  for (int i = 0; i < count; ++i) request.add_messages()->set_data("m" + std::to_string(i));
  return request;
}

TEST(MessageTest, KeepsWhatThePublisherSetsAndAddsIdAndTime) {
  auto request = request_of(2);
  auto& message = *request.mutable_messages(1);
  (*message.mutable_attributes())["k"] = "v";
  message.set_message_id("not for the publisher to say");
  message.mutable_publish_time()->set_seconds(1);
  BatchPtr batch;
  ASSERT_TRUE(publish(request, batch).ok());
  ASSERT_EQ(batch->size(), 2U);
  v1::PubsubMessage stored;
  ASSERT_TRUE(stored.ParseFromString(std::string(batch->wire(1))));
  EXPECT_EQ(stored.data(), "m1");
  EXPECT_EQ(stored.attributes().at("k"), "v");
  EXPECT_EQ(stored.message_id(), "101");
  EXPECT_EQ(stored.publish_time().seconds(), 1'600'000'000);
  EXPECT_EQ(stored.publish_time().nanos(), 5);
}

TEST(MessageTest, FindsTheOrderingKey) {
  auto request = request_of(2);
  for (auto& message : *request.mutable_messages()) message.set_ordering_key("user-7");
  BatchPtr batch;
  ASSERT_TRUE(publish(request, batch).ok());
  EXPECT_EQ(batch->ordering_key(0), "user-7");
  EXPECT_EQ(batch->ordering_key(1), "user-7");
  const auto restored = restore_batch({batch->wire(1)}, 101, now);
  EXPECT_EQ(restored->ordering_key(0), "user-7");
  EXPECT_EQ(restored->wire(0), batch->wire(1));
}

TEST(MessageTest, RefusesWhatTheProtocolForbids) {
  const auto refusal = [](const v1::PublishRequest& request) {
    BatchPtr batch;
    const auto status = publish(request, batch);
    EXPECT_EQ(status.code, Code::invalid_argument);
    return status.message;
  };
  EXPECT_THAT(refusal(request_of(0)), HasSubstr("no messages"));
  EXPECT_THAT(refusal(request_of(1001)), HasSubstr("1000"));

  auto request = request_of(2);
  request.mutable_messages(1)->clear_data();
  EXPECT_THAT(refusal(request), HasSubstr("message 1: the message has neither data nor attributes"));

  request = request_of(1);
  (*request.mutable_messages(0)->mutable_attributes())[std::string(257, 'k')] = "";
  EXPECT_THAT(refusal(request), HasSubstr("257 bytes"));

  request = request_of(1);
  (*request.mutable_messages(0)->mutable_attributes())["k"] = std::string(1025, 'v');
  EXPECT_THAT(refusal(request), HasSubstr("1025 bytes"));

  request = request_of(1);
  for (int i = 0; i < 101; ++i) (*request.mutable_messages(0)->mutable_attributes())[std::to_string(i)] = "";
  EXPECT_THAT(refusal(request), HasSubstr("100 attributes"));

  request = request_of(2);
  request.mutable_messages(0)->set_ordering_key("a");
  EXPECT_THAT(refusal(request), HasSubstr("one ordering key"));

  request = request_of(1);
  request.mutable_messages(0)->set_data(std::string(10'000'001, 'x'));
  EXPECT_THAT(refusal(request), HasSubstr("10000000"));
}

TEST(MessageTest, TakesAMessageOfTheLargestSize) {
  auto request = request_of(1);
  request.mutable_messages(0)->set_data(std::string(9'999'990, 'x'));
  BatchPtr batch;
  EXPECT_TRUE(publish(request, batch).ok());
}

TEST(MessageTest, RefusesBytesThatAreNoProtobuf) {
  const std::string good = request_of(3).SerializeAsString();
  for (std::size_t cut = 1; cut < good.size(); ++cut) {
    PublishParts parts;
    const auto bytes = good.substr(0, cut);
    auto status = split_publish_request(bytes, parts);
    if (status.ok()) status = check_messages(parts);
    v1::PublishRequest reference;
    if (reference.ParseFromString(bytes)) continue;
    EXPECT_FALSE(status.ok()) << cut;
  }
  EXPECT_FALSE(wire::is_utf8("\xC0\x80"));
  EXPECT_FALSE(wire::is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(wire::is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(wire::is_utf8("abc\xE2\x82"));
  EXPECT_TRUE(wire::is_utf8("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
}

}  // namespace
}  // namespace cfd::emulator
