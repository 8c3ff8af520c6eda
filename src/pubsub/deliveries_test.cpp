#include "pubsub/deliveries.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cfd/pubsub/v1/pubsub.pb.h"

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;

class DeliveriesTest : public testing::Test {
 protected:
  void deliver(const std::string& id, const std::string& key = {}) {
    v1::StreamingPullResponse response;
    auto& received = *response.add_received_messages();
    received.set_ack_id(id);
    received.mutable_message()->set_data("data");
    received.mutable_message()->set_ordering_key(key);
    accept(response);
  }

  std::vector<std::string> accept(const v1::StreamingPullResponse& response) {
    return deliveries.accept(parse_pull_response(response.SerializeAsString()), now);
  }

  /// The requests that would go out, as one.
  v1::StreamingPullRequest sent() {
    v1::StreamingPullRequest request;
    while (!deliveries.acks().empty()) {
      const auto piece = deliveries.acks().take();
      deliveries.sent(piece, now);
      v1::StreamingPullRequest part;
      EXPECT_TRUE(part.ParseFromString(piece.encode()));
      request.MergeFrom(part);
    }
    return request;
  }

  Deliveries deliveries{60s};
  Clock::time_point now{100s};
};

TEST_F(DeliveriesTest, AcknowledgesWhatWasHandled) {
  deliver("a");
  ASSERT_TRUE(deliveries.has_work());
  const Work work = deliveries.take();
  EXPECT_FALSE(deliveries.has_work());
  EXPECT_EQ(deliveries.running(), 1U);
  deliveries.finish(work, {true, 0s});
  EXPECT_EQ(deliveries.held(), 0U);
  EXPECT_EQ(deliveries.held_bytes(), 0U);
  EXPECT_THAT(sent().ack_ids(), testing::ElementsAre("a"));
}

TEST_F(DeliveriesTest, ALeaseThatIsLetGoIsNotExtendedAndEnds) {
  deliver("a");
  std::stop_source stop;
  const Work work = deliveries.take(&stop);
  now += 30s;
  deliveries.extend(now);
  EXPECT_THAT(sent().modify_deadline_ack_ids(), testing::ElementsAre("a"));
  Deliveries::let_go(work);
  now += 59s;
  deliveries.extend(now);
  EXPECT_TRUE(sent().modify_deadline_ack_ids().empty());
  EXPECT_TRUE(deliveries.take_lost().empty());
  now += 1s;
  deliveries.extend(now);
  EXPECT_EQ(deliveries.take_lost().size(), 1U);
  deliveries.finish(work, {true, 0s});
  const auto request = sent();
  EXPECT_TRUE(request.ack_ids().empty());
  EXPECT_THAT(request.modify_deadline_seconds(), testing::ElementsAre(0));
}

TEST_F(DeliveriesTest, GivesBackWithTheWishedDelay) {
  deliver("a");
  deliver("b");
  deliveries.finish(deliveries.take(), {false, 0s});
  deliveries.finish(deliveries.take(), {false, 1000s});
  const auto request = sent();
  EXPECT_THAT(request.modify_deadline_ack_ids(), testing::ElementsAre("a", "b"));
  EXPECT_THAT(request.modify_deadline_seconds(), testing::ElementsAre(0, 600));
}

TEST_F(DeliveriesTest, RunsOneMessageOfAKeyAtATime) {
  deliver("1", "k");
  deliver("2", "k");
  deliver("3", "l");
  const Work first = deliveries.take();
  const Work other = deliveries.take();
  EXPECT_EQ(other.delivery->ack_id, "3");
  EXPECT_FALSE(deliveries.has_work());
  deliveries.finish(first, {true, 0s});
  ASSERT_TRUE(deliveries.has_work());
  EXPECT_EQ(deliveries.take().delivery->ack_id, "2");
}

TEST_F(DeliveriesTest, GivesBackWhatWaitsBehindAFailedMessageOfItsKey) {
  deliver("1", "k");
  deliver("2", "k");
  deliver("3", "k");
  deliveries.finish(deliveries.take(), {false, 0s});
  EXPECT_FALSE(deliveries.has_work());
  EXPECT_EQ(deliveries.held(), 0U);
  EXPECT_THAT(sent().modify_deadline_ack_ids(), testing::ElementsAre("1", "2", "3"));
  deliver("1 again", "k");
  EXPECT_TRUE(deliveries.has_work());
}

TEST_F(DeliveriesTest, ExtendsALeaseWhileItsMessageIsHeld) {
  deliver("a");
  const Work work = deliveries.take();
  deliveries.extend(now);
  EXPECT_TRUE(deliveries.acks().empty());
  now += 1s;
  deliveries.extend(now);
  EXPECT_THAT(sent().modify_deadline_seconds(), testing::ElementsAre(60));
  for (int minutes = 0; minutes < 180; ++minutes) {
    now += 29s;
    deliveries.extend(now);
    EXPECT_TRUE(deliveries.acks().empty());
    now += 1s;
    deliveries.extend(now);
    ASSERT_EQ(sent().modify_deadline_ack_ids_size(), 1);
  }
  deliveries.finish(work, {true, 0s});
  sent();
  now += 1h;
  deliveries.extend(now);
  EXPECT_TRUE(deliveries.acks().empty());
}

TEST_F(DeliveriesTest, StopsAFunctionWhoseLeaseRunsOutBecauseNothingCanBeSent) {
  deliver("a");
  std::stop_source stop;
  const Work work = deliveries.take(&stop);
  now += 30s;
  deliveries.extend(now);
  now += 59s;
  deliveries.expire(now);
  EXPECT_TRUE(deliveries.take_lost().empty());
  now += 1s;
  deliveries.expire(now);
  auto lost = deliveries.take_lost();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0], stop);
  deliveries.expire(now);
  EXPECT_TRUE(deliveries.take_lost().empty()) << "told twice";
  sent();
  deliveries.finish(work, {true, 0s});
  const auto request = sent();
  EXPECT_TRUE(request.ack_ids().empty()) << "a function that was stopped may have left its work undone";
  EXPECT_THAT(request.modify_deadline_ack_ids(), testing::ElementsAre("a"));
}

TEST_F(DeliveriesTest, StoppedGivesBackWhatHasNotBegun) {
  deliver("running", "k");
  deliver("behind", "k");
  deliver("waiting");
  const Work work = deliveries.take();
  deliveries.stop();
  deliver("late");
  EXPECT_FALSE(deliveries.has_work());
  EXPECT_THAT(sent().modify_deadline_ack_ids(), testing::UnorderedElementsAre("behind", "waiting", "late"));
  deliveries.finish(work, {true, 0s});
  EXPECT_THAT(sent().ack_ids(), testing::ElementsAre("running"));
  EXPECT_EQ(deliveries.held(), 0U);
}

TEST_F(DeliveriesTest, KeepsPiecesBelowTheLimitOfARequest) {
  for (int i = 0; i < 5000; ++i) {
    deliver(std::string(200, 'x') + std::to_string(i));
    deliveries.finish(deliveries.take(), {true, 0s});
  }
  EXPECT_EQ(deliveries.acks().count(), 5000U);
  std::size_t total = 0;
  while (!deliveries.acks().empty()) {
    const auto piece = deliveries.acks().take();
    EXPECT_LT(piece.encode().size(), 512'000U);
    total += piece.count;
  }
  EXPECT_EQ(total, 5000U);
}

class ExactlyOnce : public DeliveriesTest {
 protected:
  ExactlyOnce() {
    v1::StreamingPullResponse properties;
    properties.mutable_subscription_properties()->set_exactly_once_delivery_enabled(true);
    accept(properties);
  }
};

TEST_F(ExactlyOnce, RunsAMessageOnlyOnceItsLeaseIsConfirmed) {
  deliver("a");
  deliver("b");
  EXPECT_FALSE(deliveries.has_work());
  EXPECT_THAT(sent().modify_deadline_ack_ids(), testing::ElementsAre("a", "b"));
  v1::StreamingPullResponse response;
  response.mutable_modify_ack_deadline_confirmation()->add_ack_ids("a");
  response.mutable_modify_ack_deadline_confirmation()->add_invalid_ack_ids("b");
  accept(response);
  ASSERT_TRUE(deliveries.has_work());
  EXPECT_EQ(deliveries.take().delivery->ack_id, "a");
  EXPECT_EQ(deliveries.held(), 1U);
}

TEST_F(ExactlyOnce, AcknowledgesUntilConfirmed) {
  deliver("a");
  sent();
  v1::StreamingPullResponse leased;
  leased.mutable_modify_ack_deadline_confirmation()->add_ack_ids("a");
  accept(leased);
  deliveries.finish(deliveries.take(), {true, 0s});
  EXPECT_THAT(sent().ack_ids(), testing::ElementsAre("a"));
  EXPECT_EQ(deliveries.unconfirmed_acks(), 1U);
  v1::StreamingPullResponse not_now;
  not_now.mutable_acknowledge_confirmation()->add_temporary_failed_ack_ids("a");
  accept(not_now);
  EXPECT_THAT(sent().ack_ids(), testing::ElementsAre("a"));
  deliveries.stream_ended();
  EXPECT_THAT(sent().ack_ids(), testing::ElementsAre("a"));
  v1::StreamingPullResponse done;
  done.mutable_acknowledge_confirmation()->add_ack_ids("a");
  EXPECT_TRUE(accept(done).empty());
  EXPECT_EQ(deliveries.unconfirmed_acks(), 0U);
}

TEST_F(ExactlyOnce, SaysSoWhenAnAcknowledgementCameTooLate) {
  deliver("a");
  sent();
  v1::StreamingPullResponse leased;
  leased.mutable_modify_ack_deadline_confirmation()->add_ack_ids("a");
  accept(leased);
  deliveries.finish(deliveries.take(), {true, 0s});
  sent();
  v1::StreamingPullResponse late;
  late.mutable_acknowledge_confirmation()->add_invalid_ack_ids("a");
  EXPECT_EQ(accept(late).size(), 1U);
}

TEST_F(ExactlyOnce, StopsAFunctionWhoseLeaseTheServiceSaysIsLost) {
  deliver("a");
  v1::StreamingPullResponse leased;
  leased.mutable_modify_ack_deadline_confirmation()->add_ack_ids("a");
  accept(leased);
  std::stop_source stop;
  const Work work = deliveries.take(&stop);
  v1::StreamingPullResponse lost;
  lost.mutable_modify_ack_deadline_confirmation()->add_invalid_ack_ids("a");
  EXPECT_EQ(accept(lost).size(), 1U);
  const auto functions = deliveries.take_lost();
  ASSERT_EQ(functions.size(), 1U);
  EXPECT_EQ(functions[0], stop);
  deliveries.finish(work, {false, 0s});
}

TEST(PullResponse, RefusesWhatIsMalformed) {
  v1::StreamingPullResponse response;
  response.add_received_messages()->set_ack_id(std::string("a"));
  const std::string bytes = response.SerializeAsString();
  EXPECT_NE(parse_pull_response(bytes), nullptr);
  EXPECT_EQ(parse_pull_response(bytes.substr(0, bytes.size() - 1)), nullptr);
  EXPECT_EQ(parse_pull_response("\xff\xff"), nullptr);
}

}  // namespace
}  // namespace cfd::pubsub
