#include "pubsub/batch.hpp"

#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "cfd/pubsub/v1/pubsub.pb.h"

namespace cfd::pubsub {
namespace {

detail::CallStatePtr a_call() {
  return std::make_shared<detail::CallState>("0123456789abcdef0123456789abcdef");
}

void append_text(Batch& batch, std::string_view text, std::string_view key = {}) {
  const std::array<Attribute, 2> attributes{{{"function", "f"}, {"empty", ""}}};
  const transport::Outgoing message{text, attributes, key};
  append(batch, message, encoded_size(message), a_call());
}

// The generated code of Protocol Buffers is the judge of what we write by hand.
v1::PublishRequest parsed(const Batch& batch) {
  v1::PublishRequest request;
  const std::string_view bytes = batch.request->view();
  EXPECT_TRUE(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return request;
}

TEST(Batch, IsAPublishRequest) {
  const BatchPtr batch = make_batch("projects/p/topics/t", "k");
  append_text(*batch, "one", "k");
  append_text(*batch, std::string(300, 'x'), "k");
  append_text(*batch, "");
  const v1::PublishRequest request = parsed(*batch);
  EXPECT_EQ(request.topic(), "projects/p/topics/t");
  ASSERT_EQ(request.messages_size(), 3);
  EXPECT_EQ(request.messages(0).data(), "one");
  EXPECT_EQ(request.messages(0).ordering_key(), "k");
  EXPECT_EQ(request.messages(0).attributes().at("function"), "f");
  EXPECT_EQ(request.messages(0).attributes().at("empty"), "");
  EXPECT_EQ(request.messages(1).data(), std::string(300, 'x'));
  EXPECT_EQ(request.messages(2).data(), "");
  EXPECT_EQ(request.messages(2).ordering_key(), "");
  EXPECT_EQ(request.ByteSizeLong(), batch->request->size());
}

TEST(Batch, SplitsIntoTwoRequestsThatLoseNothing) {
  const BatchPtr batch = make_batch("projects/p/topics/t", {});
  for (int i = 0; i < 7; ++i) append_text(*batch, std::to_string(i));
  const std::size_t payload = batch->payload();
  const std::shared_ptr<Buffer> still_held_by_grpc = batch->request;
  const BatchPtr rest = split(*batch);
  EXPECT_EQ(batch->calls.size(), 3U);
  EXPECT_EQ(rest->calls.size(), 4U);
  EXPECT_EQ(batch->payload() + rest->payload(), payload);
  EXPECT_EQ(parsed(*batch).messages_size(), 3);
  EXPECT_EQ(parsed(*rest).messages_size(), 4);
  EXPECT_EQ(parsed(*batch).messages(2).data(), "2");
  EXPECT_EQ(parsed(*rest).messages(0).data(), "3");
  EXPECT_EQ(parsed(*rest).topic(), "projects/p/topics/t");
}

TEST(Batch, ReadsThePublishResponse) {
  v1::PublishResponse response;
  for (const std::string id : {"1", "1043501608491014"}) response.add_message_ids(id);
  const std::string bytes = response.SerializeAsString();
  std::vector<std::string_view> ids;
  ASSERT_TRUE(parse_publish_response(bytes, ids));
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_EQ(ids[1], "1043501608491014");
  EXPECT_FALSE(parse_publish_response(std::string_view(bytes).substr(0, bytes.size() - 1), ids));
  for (int i = 0; i < 1000; ++i) response.add_message_ids(std::to_string(i));
  EXPECT_FALSE(parse_publish_response(response.SerializeAsString(), ids));
}

}  // namespace
}  // namespace cfd::pubsub
