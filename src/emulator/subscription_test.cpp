// Delivery: what comes, when it comes again, in which order, and where it ends.
#include "emulator/subscription.hpp"

#include "emulator/broker_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class SubscriptionTest : public BrokerFixture {};

TEST_F(SubscriptionTest, DeliversInOrderAndNotTwice) {
  create(subscription());
  publish("a");
  publish("b");
  const auto deliveries = pull();
  EXPECT_THAT(data_of(deliveries), ElementsAre("a", "b"));
  EXPECT_THAT(pull(), IsEmpty());
  ack(deliveries[0]);
  ack(deliveries[1]);
  advance(1h);
  EXPECT_THAT(pull(), IsEmpty());
}

TEST_F(SubscriptionTest, RedeliversAfterTheDeadlineAndNotBefore) {
  create(subscription());
  publish("a");
  ASSERT_THAT(pull(), SizeIs(1));
  advance(9900ms);
  EXPECT_THAT(pull(), IsEmpty());
  advance(200ms);
  EXPECT_THAT(data_of(pull()), ElementsAre("a"));
}

TEST_F(SubscriptionTest, AnExtendedLeaseLastsLonger) {
  create(subscription());
  publish("a");
  const auto first = pull();
  advance(9s);
  EXPECT_TRUE(queue()->modify_deadline(std::array{first[0].token}, std::array<Duration, 1>{60s})[0]);
  advance(59s);
  EXPECT_THAT(pull(), IsEmpty());
  ack(first[0]);
  advance(1h);
  EXPECT_THAT(pull(), IsEmpty());
}

TEST_F(SubscriptionTest, ALateAckDoesNotTouchTheNextLease) {
  create(subscription());
  publish("a");
  const auto first = pull();
  advance(11s);
  const auto second = pull();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_FALSE(queue()->acknowledge(std::array{first[0].token})[0]);
  advance(11s);
  EXPECT_THAT(pull(), SizeIs(1)) << "the second lease ended by itself";
}

TEST_F(SubscriptionTest, ANackRedeliversAtOnceWithoutARetryPolicy) {
  create(subscription());
  publish("a");
  nack(pull()[0]);
  EXPECT_THAT(data_of(pull()), ElementsAre("a"));
}

TEST_F(SubscriptionTest, ARetryPolicyBacksOffExponentially) {
  auto wanted = subscription();
  wanted.mutable_retry_policy()->mutable_minimum_backoff()->set_seconds(10);
  wanted.mutable_retry_policy()->mutable_maximum_backoff()->set_seconds(30);
  create(wanted);
  publish("a");
  for (const auto pause : {10s, 20s, 30s, 30s}) {
    const auto deliveries = pull();
    ASSERT_THAT(deliveries, SizeIs(1));
    nack(deliveries[0]);
    advance(pause - 100ms);
    EXPECT_THAT(pull(), IsEmpty()) << pause.count();
    advance(200ms);
  }
  EXPECT_THAT(pull(), SizeIs(1));
}

TEST_F(SubscriptionTest, AFilterHoldsBackWhatDoesNotMatch) {
  auto wanted = subscription();
  wanted.set_filter("attributes.attribute = \"yes\"");
  create(wanted);
  publish("a", "", "no");
  publish("b", "", "yes");
  publish("c");
  publish("d", "", "yes");
  EXPECT_THAT(data_of(pull()), ElementsAre("b", "d"));
  EXPECT_EQ(queue()->stats().backlog, 2U);
}

TEST_F(SubscriptionTest, EverySubscriptionGetsItsOwn) {
  create(subscription());
  create(subscription("projects/p/subscriptions/other"));
  publish("a");
  ack(pull()[0]);
  EXPECT_THAT(data_of(pull("projects/p/subscriptions/other")), ElementsAre("a"));
}

TEST_F(SubscriptionTest, AThousandSubscriptionsShareOneCopyOfAMessage) {
  constexpr std::size_t count = 1000;
  const auto name = [](std::size_t i) { return "projects/p/subscriptions/sub-" + std::to_string(i); };
  for (std::size_t i = 0; i < count; ++i) create(subscription(name(i)));
  publish("shared");
  const char* bytes = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const auto deliveries = pull(name(i));
    ASSERT_THAT(data_of(deliveries), ElementsAre("shared"));
    if (bytes == nullptr) bytes = deliveries[0].message.wire().data();
    EXPECT_EQ(deliveries[0].message.wire().data(), bytes);
  }
}

TEST_F(SubscriptionTest, FlowControlHoldsUntilRoomIsMade) {
  create(subscription());
  for (const auto* data : {"a", "b", "c"}) publish(data);
  const auto source = queue();
  int woken = 0;
  const auto consumer = source->add_consumer([&] { ++woken; }, 2, 0);
  const auto first = source->take(consumer, 100, 1U << 20U, 10s);
  EXPECT_THAT(data_of(first), ElementsAre("a", "b"));
  EXPECT_THAT(source->take(consumer, 100, 1U << 20U, 10s), IsEmpty());
  EXPECT_EQ(woken, 0);
  ack(first[0]);
  EXPECT_EQ(woken, 1);
  EXPECT_THAT(data_of(source->take(consumer, 100, 1U << 20U, 10s)), ElementsAre("c"));
}

TEST_F(SubscriptionTest, FlowControlCountsBytes) {
  create(subscription());
  publish(std::string(1000, 'x'));
  publish(std::string(1000, 'y'));
  const auto source = queue();
  const auto consumer = source->add_consumer([] {}, 0, 500);
  EXPECT_THAT(source->take(consumer, 100, 1U << 20U, 10s), SizeIs(1))
      << "a message above the limit still goes, alone";
  EXPECT_THAT(source->take(consumer, 100, 1U << 20U, 10s), IsEmpty());
}

TEST_F(SubscriptionTest, OneKeyIsOutWithOneConsumerAtATime) {
  auto wanted = subscription();
  wanted.set_enable_message_ordering(true);
  create(wanted);
  publish("a1", "a");
  publish("b1", "b");
  publish("a2", "a");
  const auto first = pull(test_subscription, 1);
  EXPECT_THAT(data_of(first), ElementsAre("a1"));
  EXPECT_THAT(data_of(pull()), ElementsAre("b1")) << "a2 waits for a1";
  publish("a3", "a");
  EXPECT_THAT(pull(), IsEmpty());
  ack(first[0]);
  EXPECT_THAT(data_of(pull()), ElementsAre("a2", "a3"));
}

TEST_F(SubscriptionTest, ANackOfAKeyTakesItsFollowersAlong) {
  auto wanted = subscription();
  wanted.set_enable_message_ordering(true);
  create(wanted);
  for (const auto* data : {"1", "2", "3"}) publish(data, "key");
  const auto deliveries = pull();
  ASSERT_THAT(data_of(deliveries), ElementsAre("1", "2", "3"));
  ack(deliveries[0]);
  nack(deliveries[1]);
  EXPECT_FALSE(queue()->acknowledge(std::array{deliveries[2].token})[0]) << "3 went back with 2";
  publish("4", "key");
  EXPECT_THAT(data_of(pull()), ElementsAre("2", "3", "4"));
}

TEST_F(SubscriptionTest, AnExpiredKeyComesBackInOrder) {
  auto wanted = subscription();
  wanted.set_enable_message_ordering(true);
  create(wanted);
  for (const auto* data : {"1", "2", "3"}) publish(data, "key");
  ASSERT_THAT(pull(), SizeIs(3));
  advance(11s);
  EXPECT_THAT(data_of(pull()), ElementsAre("1", "2", "3"));
}

TEST_F(SubscriptionTest, AStreamGetsMoreOfAKeyItHolds) {
  auto wanted = subscription();
  wanted.set_enable_message_ordering(true);
  create(wanted);
  const auto source = queue();
  const auto stream = source->add_consumer([] {}, 0, 0);
  publish("1", "key");
  EXPECT_THAT(data_of(source->take(stream, 10, 1U << 20U, 10s)), ElementsAre("1"));
  publish("2", "key");
  EXPECT_THAT(data_of(source->take(stream, 10, 1U << 20U, 10s)), ElementsAre("2"));
}

TEST_F(SubscriptionTest, APusherGetsOneOfAKeyAtATime) {
  auto wanted = subscription();
  wanted.set_enable_message_ordering(true);
  create(wanted);
  publish("a1", "a");
  publish("a2", "a");
  publish("b1", "b");
  publish("free");
  const auto source = queue();
  const auto pusher = source->add_consumer([] {}, 0, 0);
  pusher->one_per_key = true;
  const auto first = source->take(pusher, 10, 1U << 20U, 10s);
  EXPECT_THAT(data_of(first), ElementsAre("a1", "b1", "free"));
  publish("a3", "a");
  EXPECT_THAT(source->take(pusher, 10, 1U << 20U, 10s), IsEmpty());
  ack(first[0]);
  const auto second = source->take(pusher, 10, 1U << 20U, 10s);
  EXPECT_THAT(data_of(second), ElementsAre("a2"));
  nack(second[0]);
  EXPECT_THAT(data_of(source->take(pusher, 10, 1U << 20U, 10s)), ElementsAre("a2"));
}

TEST_F(SubscriptionTest, DeadLettersCarryTheirOrigin) {
  create_topic("projects/p/topics/dead");
  auto graveyard = subscription("projects/p/subscriptions/graveyard");
  graveyard.set_topic("projects/p/topics/dead");
  create(graveyard);
  auto wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/dead");
  create(wanted);
  publish("poison", "", "kept");
  for (std::uint32_t attempt = 1; attempt <= 5; ++attempt) {
    const auto deliveries = pull();
    ASSERT_THAT(deliveries, SizeIs(1));
    EXPECT_EQ(deliveries[0].attempt, attempt);
    nack(deliveries[0]);
  }
  EXPECT_THAT(pull(), IsEmpty());
  const auto dead = pull("projects/p/subscriptions/graveyard");
  ASSERT_THAT(data_of(dead), ElementsAre("poison"));
  EXPECT_EQ(dead[0].attempt, 0U) << "no policy, no count";
  const auto attributes = message_of(dead[0]).attributes();
  EXPECT_EQ(attributes.at("attribute"), "kept");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceDeliveryCount"), "5");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceSubscription"), "sub");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceSubscriptionProject"), "p");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceTopicPublishTime"), "2020-09-13T12:26:40.000+00:00");
  EXPECT_EQ(queue()->stats().dead_lettered, 1U);
}

TEST_F(SubscriptionTest, MessagesOlderThanTheRetentionAreGone) {
  auto wanted = subscription();
  wanted.mutable_message_retention_duration()->set_seconds(600);
  create(wanted);
  publish("old");
  advance(9min);
  publish("new");
  advance(2min);
  EXPECT_EQ(queue()->stats().backlog, 1U);
  EXPECT_THAT(data_of(pull()), ElementsAre("new"));
}

TEST_F(SubscriptionTest, ABacklogOfManyIsDeliveredOnce) {
  create(subscription());
  for (int i = 0; i < 500; ++i) publish(std::to_string(i));
  std::size_t count = 0;
  for (auto deliveries = pull(test_subscription, 70); !deliveries.empty();
       deliveries = pull(test_subscription, 70)) {
    for (const auto& delivery : deliveries) {
      EXPECT_EQ(message_of(delivery).data(), std::to_string(count++));
      ack(delivery);
    }
  }
  EXPECT_EQ(count, 500U);
  EXPECT_EQ(queue()->stats().backlog, 0U);
}

}  // namespace
}  // namespace cfd::emulator
