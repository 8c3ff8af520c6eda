// StreamingPull over real gRPC channels.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "cfd/rpc/status.pb.h"
#include "emulator/server_fixture.hpp"

namespace cfd::emulator {
namespace {

using google::protobuf::Empty;
using ::testing::ElementsAre;
using namespace std::chrono_literals;

using StreamingPullTest = ServerTest;

TEST_F(StreamingPullTest, StreamsAndAcknowledgesOnTheStream) {
  create(subscription());
  const auto stream_context = context();
  const auto stream = subscriber->StreamingPull(stream_context.get());
  v1::StreamingPullRequest request;
  request.set_subscription(subscription_name);
  request.set_stream_ack_deadline_seconds(10);
  ASSERT_TRUE(stream->Write(request));
  std::vector<std::string> sent;
  for (int i = 0; i < 2500; ++i) sent.push_back(std::to_string(i));
  for (std::size_t i = 0; i < sent.size(); i += 500) {
    publish(
        {sent.begin() + static_cast<std::ptrdiff_t>(i), sent.begin() + static_cast<std::ptrdiff_t>(i + 500)});
  }
  std::vector<std::string> got;
  while (got.size() < sent.size()) {
    v1::StreamingPullResponse response;
    ASSERT_TRUE(stream->Read(&response));
    v1::StreamingPullRequest acknowledge;
    for (const auto& received : response.received_messages()) {
      got.push_back(received.message().data());
      acknowledge.add_ack_ids(received.ack_id());
    }
    ASSERT_TRUE(stream->Write(acknowledge));
  }
  EXPECT_EQ(got, sent);
  stream->WritesDone();
  v1::StreamingPullResponse response;
  EXPECT_FALSE(stream->Read(&response));
  check(stream->Finish());
  EXPECT_EQ(pull(1000, false).received_messages_size(), 0) << "all were acknowledged before the stream ended";
}

TEST_F(StreamingPullTest, ConfirmsUnderExactlyOnce) {
  auto wanted = subscription();
  wanted.set_enable_exactly_once_delivery(true);
  create(wanted);
  publish({"a"});
  const auto stream_context = context();
  const auto stream = subscriber->StreamingPull(stream_context.get());
  v1::StreamingPullRequest request;
  request.set_subscription(subscription_name);
  request.set_stream_ack_deadline_seconds(10);
  ASSERT_TRUE(stream->Write(request));
  v1::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_TRUE(response.subscription_properties().exactly_once_delivery_enabled());
  const auto ack_id = response.received_messages(0).ack_id();

  request.Clear();
  request.add_modify_deadline_ack_ids(ack_id);
  request.add_modify_deadline_seconds(60);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.modify_ack_deadline_confirmation().ack_ids(), ElementsAre(ack_id));

  for (const bool first : {true, false}) {
    request.Clear();
    request.add_ack_ids(ack_id);
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.acknowledge_confirmation().ack_ids_size(), first ? 1 : 0);
    EXPECT_EQ(response.acknowledge_confirmation().invalid_ack_ids_size(), first ? 0 : 1);
  }

  v1::AcknowledgeRequest unary;
  unary.set_subscription(subscription_name);
  unary.add_ack_ids(ack_id);
  Empty empty;
  const auto status = subscriber->Acknowledge(context().get(), unary, &empty);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  rpc::Status details;
  rpc::ErrorInfo info;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  ASSERT_TRUE(info.ParseFromString(details.details(0).value()));
  EXPECT_EQ(info.metadata().at(ack_id), "PERMANENT_FAILURE_INVALID_ACK_ID");
}

TEST_F(StreamingPullTest, EndsAStreamOnBadRequests) {
  create(subscription());
  const auto code_after = [&](const v1::StreamingPullRequest& later) {
    const auto stream_context = context();
    const auto stream = subscriber->StreamingPull(stream_context.get());
    v1::StreamingPullRequest first;
    first.set_subscription(subscription_name);
    first.set_stream_ack_deadline_seconds(10);
    stream->Write(first);
    stream->Write(later);
    v1::StreamingPullResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  };
  v1::StreamingPullRequest request;
  request.set_max_outstanding_messages(5);
  EXPECT_EQ(code_after(request), grpc::StatusCode::INVALID_ARGUMENT);
  request.Clear();
  request.add_modify_deadline_ack_ids("000000000000000000000000");
  EXPECT_EQ(code_after(request), grpc::StatusCode::INVALID_ARGUMENT);
  request.Clear();
  request.add_ack_ids("nonsense");
  EXPECT_EQ(code_after(request), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(StreamingPullTest, DeletingASubscriptionEndsItsStreams) {
  create(subscription());
  const auto stream_context = context();
  const auto stream = subscriber->StreamingPull(stream_context.get());
  v1::StreamingPullRequest request;
  request.set_subscription(subscription_name);
  request.set_stream_ack_deadline_seconds(10);
  ASSERT_TRUE(stream->Write(request));
  publish({"x"});
  v1::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  v1::DeleteSubscriptionRequest deletion;
  deletion.set_subscription(subscription_name);
  Empty empty;
  check(subscriber->DeleteSubscription(context().get(), deletion, &empty));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace cfd::emulator
