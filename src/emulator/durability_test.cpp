// What a server takes over from the one before it, beyond the messages of its subscriptions.
#include <gmock/gmock.h>

#include "cfd/iam/v1/iam_policy.pb.h"
#include "cfd/pubsub/v1/schema.pb.h"
#include "emulator/store_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using google::protobuf::Empty;

constexpr const char* snapshot_name = "projects/p/snapshots/snap";

class DurabilityTest : public StoreTest {
 protected:
  static void seek(Durable& server, Time time) {
    v1::SeekRequest request;
    request.set_subscription(test_subscription);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
    request.mutable_time()->set_seconds(seconds.count());
    v1::SeekResponse response;
    ASSERT_TRUE(server.broker.seek(request, response).ok());
  }
  static void seek_to_snapshot(Durable& server) {
    v1::SeekRequest request;
    request.set_subscription(test_subscription);
    request.set_snapshot(snapshot_name);
    v1::SeekResponse response;
    const auto status = server.broker.seek(request, response);
    ASSERT_TRUE(status.ok()) << status.message;
  }
  static void take_snapshot(Durable& server) {
    v1::CreateSnapshotRequest request;
    request.set_name(snapshot_name);
    request.set_subscription(test_subscription);
    (*request.mutable_labels())["kind"] = "test";
    v1::Snapshot made;
    const auto status = server.broker.create_snapshot(request, made);
    ASSERT_TRUE(status.ok()) << status.message;
  }
  static v1::Topic topic() {
    v1::Topic topic;
    topic.set_name(test_topic);
    return topic;
  }
  static v1::Subscription subscription() {
    v1::Subscription subscription;
    subscription.set_name(test_subscription);
    subscription.set_topic(test_topic);
    return subscription;
  }
  static void create(Durable& server, v1::Topic topic, v1::Subscription subscription) {
    ASSERT_TRUE(server.broker.create_topic(topic, topic).ok());
    const auto status = server.broker.create_subscription(subscription, subscription);
    ASSERT_TRUE(status.ok()) << status.message;
  }
  static std::uint64_t batches(Durable& server) { return server.store.database().largest_message_id(); }
};

TEST_F(DurabilityTest, ASnapshotHoldsWhatItHeldAndWhatCameAfter) {
  {
    Durable first(directory_);
    create(first, topic(), subscription());
    ASSERT_TRUE(first.publish({"a", "b", "c"}).ok());
    first.acknowledge(first.pull(1));
    take_snapshot(first);
    first.acknowledge(first.pull());
    ASSERT_TRUE(first.publish({"d"}).ok());
    first.acknowledge(first.pull());
    ASSERT_TRUE(first.settled().ok());
  }
  {
    Durable second(directory_);
    EXPECT_THAT(second.pull(), IsEmpty());
    ASSERT_TRUE(second.publish({"e"}).ok());
    second.acknowledge(second.pull());
    seek_to_snapshot(second);
    ASSERT_TRUE(second.settled().ok());
  }
  {
    // The seek itself survives, and so does the snapshot.
    Durable third(directory_);
    EXPECT_THAT(data_of(third.pull()), ElementsAre("b", "c", "d", "e"));
    v1::GetSnapshotRequest get;
    get.set_snapshot(snapshot_name);
    v1::Snapshot snapshot;
    ASSERT_TRUE(third.broker.get_snapshot(get, snapshot).ok());
    EXPECT_EQ(snapshot.labels().at("kind"), "test");
    third.advance(11s);
    third.acknowledge(third.pull());
    v1::DeleteSnapshotRequest request;
    request.set_snapshot(snapshot_name);
    Empty empty;
    ASSERT_TRUE(third.broker.delete_snapshot(request, empty).ok());
    ASSERT_TRUE(third.settled().ok());
    EXPECT_EQ(batches(third), 0U) << "nothing is kept for nobody";
  }
  const Durable last(directory_);
  EXPECT_FALSE(last.broker.exists(snapshot_name));
}

TEST_F(DurabilityTest, ASnapshotExpiresInTheNextRunToo) {
  Time now;
  {
    Durable first(directory_);
    create(first, topic(), subscription());
    take_snapshot(first);
    ASSERT_TRUE(first.settled().ok());
    now = first.clock.now();
  }
  Durable second(directory_, now + 24h);
  EXPECT_TRUE(second.broker.exists(snapshot_name));
  second.advance(24h * 7);
  EXPECT_FALSE(second.broker.exists(snapshot_name));
}

TEST_F(DurabilityTest, AcknowledgedMessagesThatAreRetainedComeBackByASeek) {
  auto wanted = subscription();
  wanted.set_retain_acked_messages(true);
  Time start;
  {
    Durable first(directory_);
    create(first, topic(), wanted);
    start = first.clock.now();
    first.advance(1s);
    ASSERT_TRUE(first.publish({"a", "b"}).ok());
    first.acknowledge(first.pull(1));
    ASSERT_TRUE(first.settled().ok());
  }
  {
    Durable second(directory_, start + 1min);
    EXPECT_THAT(data_of(second.pull()), ElementsAre("b"));
    seek(second, start);
    EXPECT_THAT(data_of(second.pull()), ElementsAre("a", "b"));
    ASSERT_TRUE(second.settled().ok());
  }
  Durable third(directory_, start + 2min);
  const auto both = third.pull();
  EXPECT_THAT(data_of(both), ElementsAre("a", "b"));
  third.acknowledge(both);
  third.advance(24h * 8);
  ASSERT_TRUE(third.settled().ok());
  EXPECT_EQ(batches(third), 0U) << "retention ends for what is on disk as well";
}

TEST_F(DurabilityTest, ATopicKeepsWhatItRetains) {
  auto retaining = topic();
  retaining.mutable_message_retention_duration()->set_seconds(3600);
  Time start;
  {
    Durable first(directory_);
    create(first, retaining, subscription());
    start = first.clock.now();
    first.advance(1s);
    ASSERT_TRUE(first.publish({"a", "b"}).ok());
    first.acknowledge(first.pull());
    ASSERT_TRUE(first.settled().ok());
  }
  Durable second(directory_, start + 1min);
  seek(second, start);
  const auto both = second.pull();
  EXPECT_THAT(data_of(both), ElementsAre("a", "b"));
  second.acknowledge(both);
  second.advance(2h);
  ASSERT_TRUE(second.publish({"c"}).ok());  // A topic looks at what is old when something new comes.
  second.acknowledge(second.pull());
  ASSERT_TRUE(second.settled().ok());
  std::size_t kept = 0;
  second.store.database().for_each_pending(1, [&](const PendingBatch& pending) { kept += pending.size; });
  EXPECT_EQ(kept, 1U);
}

TEST_F(DurabilityTest, FailedDeliveriesAreCountedOn) {
  auto wanted = subscription();
  wanted.mutable_dead_letter_policy()->set_dead_letter_topic("projects/p/topics/dead");
  wanted.mutable_dead_letter_policy()->set_max_delivery_attempts(5);
  {
    Durable first(directory_);
    auto dead = topic();
    dead.set_name("projects/p/topics/dead");
    ASSERT_TRUE(first.broker.create_topic(dead, dead).ok());
    create(first, topic(), wanted);
    auto reader = subscription();
    reader.set_name("projects/p/subscriptions/dead-reader");
    reader.set_topic(dead.name());
    ASSERT_TRUE(first.broker.create_subscription(reader, reader).ok());
    ASSERT_TRUE(first.publish({"a", "b"}).ok());
    for (int i = 0; i < 3; ++i) {
      const auto deliveries = first.pull(2);
      ASSERT_THAT(deliveries, SizeIs(2));
      first.nack(deliveries[0]);
      first.queue()->modify_deadline(std::array{deliveries[1].token}, std::array{Duration{1}});
      first.advance(1s);
    }
    ASSERT_TRUE(first.settled().ok());
  }
  Durable second(directory_);
  const auto deliveries = second.pull();
  ASSERT_THAT(deliveries, SizeIs(2));
  EXPECT_EQ(deliveries[0].attempt, 4U);
  EXPECT_EQ(deliveries[1].attempt, 4U);
  second.nack(deliveries[0]);
  second.nack(second.pull().at(0));
  ASSERT_TRUE(second.settled().ok());
  SubscriptionPtr dead;
  ASSERT_TRUE(second.broker.open_for_pull("projects/p/subscriptions/dead-reader", dead).ok());
  EXPECT_EQ(dead->stats().backlog, 1U) << "dead-lettered at the fifth failure, three of which were before";
}

TEST_F(DurabilityTest, SchemasKeepTheirRevisionsAndPoliciesTheirEtags) {
  const std::string name = "projects/p/schemas/book";
  const auto definition = [](const char* field) {
    return std::string(R"({"type":"record","name":"Book","fields":[{"name":")") + field +
           R"(","type":"string"}]})";
  };
  std::string newest;
  std::string etag;
  {
    Durable first(directory_);
    create(first, topic(), subscription());
    v1::CreateSchemaRequest request;
    request.set_parent("projects/p");
    request.set_schema_id("book");
    request.mutable_schema()->set_type(v1::Schema::AVRO);
    request.mutable_schema()->set_definition(definition("title"));
    v1::Schema schema;
    ASSERT_TRUE(first.schemas.create(request, schema).ok());
    v1::CommitSchemaRequest commit;
    commit.set_name(name);
    *commit.mutable_schema() = request.schema();
    commit.mutable_schema()->set_definition(definition("author"));
    ASSERT_TRUE(first.schemas.commit(commit, schema).ok());
    newest = schema.revision_id();
    iam::v1::SetIamPolicyRequest set;
    set.set_resource(test_topic);
    set.mutable_policy()->add_bindings()->set_role("roles/pubsub.publisher");
    iam::v1::Policy policy;
    ASSERT_TRUE(first.policies.set(set, policy).ok());
    etag = policy.etag();
    ASSERT_TRUE(first.settled().ok());
  }
  Durable second(directory_);
  v1::GetSchemaRequest get;
  get.set_name(name);
  v1::Schema schema;
  ASSERT_TRUE(second.schemas.get(get, schema).ok());
  EXPECT_EQ(schema.revision_id(), newest);
  EXPECT_EQ(schema.definition(), definition("author"));
  v1::ListSchemaRevisionsRequest list;
  list.set_name(name);
  v1::ListSchemaRevisionsResponse revisions;
  ASSERT_TRUE(second.schemas.list_revisions(list, revisions).ok());
  EXPECT_EQ(revisions.schemas_size(), 2);
  iam::v1::GetIamPolicyRequest get_policy;
  get_policy.set_resource(test_topic);
  iam::v1::Policy policy;
  ASSERT_TRUE(second.policies.get(get_policy, policy).ok());
  EXPECT_EQ(policy.etag(), etag);
  ASSERT_EQ(policy.bindings_size(), 1);
  EXPECT_EQ(policy.bindings(0).role(), "roles/pubsub.publisher");
  v1::CommitSchemaRequest commit;
  commit.set_name(name);
  *commit.mutable_schema() = schema;
  ASSERT_TRUE(second.schemas.commit(commit, schema).ok());
  EXPECT_GT(schema.revision_id(), newest) << "revision ids are not given twice";
}

TEST_F(DurabilityTest, ADetachedSubscriptionStaysDetachedAndEmpty) {
  {
    Durable first(directory_);
    create(first, topic(), subscription());
    ASSERT_TRUE(first.publish({"a"}).ok());
    v1::DetachSubscriptionRequest request;
    request.set_subscription(test_subscription);
    v1::DetachSubscriptionResponse response;
    ASSERT_TRUE(first.broker.detach_subscription(request, response).ok());
    ASSERT_TRUE(first.settled().ok());
    EXPECT_EQ(batches(first), 0U);
  }
  Durable second(directory_);
  SubscriptionPtr queue;
  EXPECT_EQ(second.broker.open_for_pull(test_subscription, queue).code, Code::failed_precondition);
  ASSERT_TRUE(second.publish({"b"}).ok());
  EXPECT_EQ(batches(second), 0U) << "nobody is there to keep it for";
}

}  // namespace
}  // namespace cfd::emulator
