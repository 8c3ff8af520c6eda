// Resources: what can be created, changed and deleted, and with which status it is refused.
#include "emulator/broker.hpp"

#include "emulator/broker_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using google::protobuf::Empty;

class BrokerTest : public BrokerFixture {
 protected:
  v1::Subscription get(const std::string& name = test_subscription) {
    v1::GetSubscriptionRequest request;
    request.set_subscription(name);
    v1::Subscription found;
    EXPECT_TRUE(broker.get_subscription(request, found).ok());
    return found;
  }

  Code create_code(const v1::Subscription& wanted) {
    v1::Subscription made;
    return broker.create_subscription(wanted, made).code;
  }

  void seek_to(Time time) {
    v1::SeekRequest request;
    request.set_subscription(test_subscription);
    request.mutable_time()->set_seconds(
        std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    v1::SeekResponse response;
    const auto status = broker.seek(request, response);
    ASSERT_TRUE(status.ok()) << status.message;
  }
};

TEST_F(BrokerTest, RefusesBadNames) {
  for (const auto* name :
       {"", "topic", "projects/p/topics/ab", "projects/p/topics/1abc", "projects/p/topics/googtopic",
        "projects/p/topics/a b c", "projects//topics/abc", "projects/p/subscriptions/abc"}) {
    v1::Topic topic;
    topic.set_name(name);
    EXPECT_EQ(broker.create_topic(topic, topic).code, Code::invalid_argument) << name;
  }
  v1::Topic topic;
  topic.set_name("projects/p/topics/A-_.~+%z");
  EXPECT_TRUE(broker.create_topic(topic, topic).ok());
  EXPECT_EQ(broker.create_topic(topic, topic).code, Code::already_exists);
}

TEST_F(BrokerTest, FillsInTheDefaultsOfASubscription) {
  auto wanted = subscription();
  create_topic("projects/p/topics/dead");
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/dead");
  wanted.mutable_retry_policy();
  create(wanted);
  const auto made = get();
  EXPECT_EQ(made.ack_deadline_seconds(), 10);
  EXPECT_EQ(made.message_retention_duration().seconds(), 7 * 24 * 3600);
  EXPECT_EQ(made.expiration_policy().ttl().seconds(), 31 * 24 * 3600);
  EXPECT_EQ(made.dead_letter_policy().max_delivery_attempts(), 5);
  EXPECT_EQ(made.retry_policy().minimum_backoff().seconds(), 10);
  EXPECT_EQ(made.retry_policy().maximum_backoff().seconds(), 600);
  EXPECT_EQ(made.state(), v1::Subscription::ACTIVE);
}

TEST_F(BrokerTest, RefusesBadSubscriptions) {
  auto wanted = subscription();
  wanted.set_topic("projects/p/topics/missing");
  EXPECT_EQ(create_code(wanted), Code::not_found);
  wanted = subscription();
  wanted.set_ack_deadline_seconds(5);
  EXPECT_EQ(create_code(wanted), Code::invalid_argument);
  wanted = subscription();
  wanted.set_filter("nonsense");
  EXPECT_EQ(create_code(wanted), Code::invalid_argument);
  wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/missing");
  EXPECT_EQ(create_code(wanted), Code::not_found);
  wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic(test_topic);
  wanted.mutable_dead_letter_policy()->set_max_delivery_attempts(4);
  EXPECT_EQ(create_code(wanted), Code::invalid_argument);
  wanted = subscription();
  wanted.mutable_retry_policy()->mutable_maximum_backoff()->set_seconds(601);
  EXPECT_EQ(create_code(wanted), Code::invalid_argument);
  wanted = subscription();
  wanted.mutable_message_retention_duration()->set_seconds(60);
  EXPECT_EQ(create_code(wanted), Code::invalid_argument);
  wanted = subscription();
  wanted.mutable_push_config()->set_push_endpoint("ftp://x");
  EXPECT_EQ(create_code(wanted), Code::invalid_argument);
  EXPECT_EQ(create_code(subscription()), Code::ok);
  EXPECT_EQ(create_code(subscription()), Code::already_exists);
}

TEST_F(BrokerTest, AssignsANameWhereNoneIsGiven) {
  v1::Subscription made;
  ASSERT_TRUE(broker.create_subscription(subscription(""), made).ok());
  EXPECT_THAT(made.name(), ::testing::StartsWith("projects/p/subscriptions/"));
}

TEST_F(BrokerTest, ListsInPages) {
  for (int i = 0; i < 7; ++i) create_topic("projects/q/topics/topic-" + std::to_string(i));
  v1::ListTopicsRequest request;
  request.set_project("projects/q");
  request.set_page_size(3);
  std::vector<std::string> names;
  std::vector<int> sizes;
  do {
    v1::ListTopicsResponse page;
    ASSERT_TRUE(broker.list_topics(request, page).ok());
    for (const auto& topic : page.topics()) names.push_back(topic.name());
    sizes.push_back(page.topics_size());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, SizeIs(7));
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
}

TEST_F(BrokerTest, UpdatesWhatTheMaskNames) {
  create(subscription());
  v1::UpdateSubscriptionRequest request;
  request.mutable_subscription()->set_name(test_subscription);
  request.mutable_subscription()->set_ack_deadline_seconds(60);
  (*request.mutable_subscription()->mutable_labels())["team"] = "a";
  v1::Subscription updated;
  EXPECT_EQ(broker.update_subscription(request, updated).code, Code::invalid_argument) << "an empty mask";
  request.mutable_update_mask()->add_paths("ack_deadline_seconds");
  ASSERT_TRUE(broker.update_subscription(request, updated).ok());
  EXPECT_EQ(get().ack_deadline_seconds(), 60);
  EXPECT_THAT(get().labels(), IsEmpty());
  request.mutable_update_mask()->set_paths(0, "filter");
  EXPECT_THAT(broker.update_subscription(request, updated).message, HasSubstr("cannot be changed"));
  request.mutable_update_mask()->set_paths(0, "no_such_field");
  EXPECT_EQ(broker.update_subscription(request, updated).code, Code::invalid_argument);
}

TEST_F(BrokerTest, ADeletedTopicLeavesItsSubscriptions) {
  create(subscription());
  publish("kept");
  v1::DeleteTopicRequest request;
  request.set_topic(test_topic);
  Empty empty;
  ASSERT_TRUE(broker.delete_topic(request, empty).ok());
  EXPECT_EQ(broker.delete_topic(request, empty).code, Code::not_found);
  EXPECT_EQ(get().topic(), "_deleted-topic_");
  EXPECT_THAT(data_of(pull()), ElementsAre("kept"));
  create_topic(test_topic);
  publish("of another topic of the same name");
  EXPECT_THAT(pull(), IsEmpty());
}

TEST_F(BrokerTest, ADeadLetterTopicInUseStays) {
  create_topic("projects/p/topics/dead");
  auto wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/dead");
  create(wanted);
  v1::DeleteTopicRequest request;
  request.set_topic("projects/p/topics/dead");
  Empty empty;
  EXPECT_EQ(broker.delete_topic(request, empty).code, Code::failed_precondition);
}

TEST_F(BrokerTest, ADetachedSubscriptionCannotBePulled) {
  create(subscription());
  publish("lost");
  v1::DetachSubscriptionRequest request;
  request.set_subscription(test_subscription);
  v1::DetachSubscriptionResponse response;
  ASSERT_TRUE(broker.detach_subscription(request, response).ok());
  EXPECT_TRUE(get().detached());
  SubscriptionPtr found;
  EXPECT_EQ(broker.open_for_pull(test_subscription, found).code, Code::failed_precondition);
}

TEST_F(BrokerTest, AckErrorsAreToldUnderExactlyOnceOnly) {
  auto wanted = subscription();
  wanted.set_enable_exactly_once_delivery(true);
  create(wanted);
  create(subscription("projects/p/subscriptions/other"));
  publish("a");
  for (const std::string name : {test_subscription, "projects/p/subscriptions/other"}) {
    const auto ack_id = to_ack_id(pull(name)[0].token);
    advance(11s);
    v1::AcknowledgeRequest request;
    request.set_subscription(name);
    request.add_ack_ids(ack_id);
    Empty empty;
    const auto status = broker.acknowledge(request, empty);
    if (name == test_subscription) {
      EXPECT_EQ(status.code, Code::failed_precondition);
      EXPECT_EQ(status.ack_errors.at(ack_id), "PERMANENT_FAILURE_INVALID_ACK_ID");
    } else {
      EXPECT_TRUE(status.ok());
    }
  }
  v1::AcknowledgeRequest request;
  request.set_subscription(test_subscription);
  request.add_ack_ids("nonsense");
  Empty empty;
  EXPECT_EQ(broker.acknowledge(request, empty).code, Code::invalid_argument);
}

TEST_F(BrokerTest, ASubscriptionNobodyUsesExpires) {
  auto wanted = subscription();
  wanted.mutable_message_retention_duration()->set_seconds(3600);
  wanted.mutable_expiration_policy()->mutable_ttl()->set_seconds(std::int64_t{2} * 24 * 3600);
  create(wanted);
  auto kept = subscription("projects/p/subscriptions/kept");
  kept.mutable_expiration_policy();  // without a ttl: never
  create(kept);
  advance(47h);
  pull();
  advance(47h);
  EXPECT_TRUE(broker.exists(test_subscription)) << "it was used in between";
  advance(2h);
  EXPECT_FALSE(broker.exists(test_subscription));
  advance(24h * 365);
  EXPECT_TRUE(broker.exists("projects/p/subscriptions/kept"));
}

TEST_F(BrokerTest, SeeksInTime) {
  auto wanted = subscription();
  wanted.set_retain_acked_messages(true);
  create(wanted);
  publish("1");
  advance(1min);
  const Time middle = clock.now();
  publish("2");
  publish("3");
  for (const auto& delivery : pull()) ack(delivery);
  EXPECT_THAT(pull(), IsEmpty());
  seek_to(middle);
  EXPECT_THAT(data_of(pull()), ElementsAre("2", "3"));
  seek_to(middle - 1h);
  EXPECT_THAT(data_of(pull()), ElementsAre("1", "2", "3"));
  seek_to(clock.now() + 1h);
  EXPECT_THAT(pull(), IsEmpty());
  EXPECT_EQ(queue()->stats().backlog, 0U);
}

TEST_F(BrokerTest, SeeksBackInTheTopicsMemory) {
  v1::UpdateTopicRequest request;
  request.mutable_topic()->set_name(test_topic);
  request.mutable_topic()->mutable_message_retention_duration()->set_seconds(3600);
  request.mutable_update_mask()->add_paths("message_retention_duration");
  v1::Topic updated;
  ASSERT_TRUE(broker.update_topic(request, updated).ok());
  publish("before the subscription");
  create(subscription());
  EXPECT_EQ(get().topic_message_retention_duration().seconds(), 3600);
  EXPECT_THAT(pull(), IsEmpty());
  seek_to(clock.now() - 1min);
  EXPECT_THAT(data_of(pull()), ElementsAre("before the subscription"));
}

TEST_F(BrokerTest, SeeksToASnapshot) {
  create(subscription());
  publish("acked before");
  publish("open");
  ack(pull()[0]);
  v1::CreateSnapshotRequest request;
  request.set_name("projects/p/snapshots/snap");
  request.set_subscription(test_subscription);
  v1::Snapshot snapshot;
  ASSERT_TRUE(broker.create_snapshot(request, snapshot).ok());
  EXPECT_EQ(snapshot.topic(), test_topic);
  EXPECT_EQ(broker.create_snapshot(request, snapshot).code, Code::already_exists);
  publish("later");
  advance(11s);
  for (const auto& delivery : pull()) ack(delivery);
  v1::SeekRequest seek;
  seek.set_subscription(test_subscription);
  seek.set_snapshot("projects/p/snapshots/snap");
  v1::SeekResponse response;
  ASSERT_TRUE(broker.seek(seek, response).ok());
  EXPECT_THAT(data_of(pull()), ElementsAre("open", "later"));
  advance(24h * 8);
  v1::GetSnapshotRequest get_request;
  get_request.set_snapshot("projects/p/snapshots/snap");
  EXPECT_EQ(broker.get_snapshot(get_request, snapshot).code, Code::not_found) << "expired";
}

}  // namespace
}  // namespace cfd::emulator
