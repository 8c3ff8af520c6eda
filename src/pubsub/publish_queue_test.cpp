#include "pubsub/publish_queue.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;

class PublishQueueTest : public testing::Test {
 protected:
  bool add(std::string_view data, std::string_view key = {}) {
    const transport::Outgoing message{data, {}, key};
    auto call = std::make_shared<detail::CallState>("0123456789abcdef0123456789abcdef");
    return queue.add(message, encoded_size(message), call, now);
  }

  BatchPtr next() { return queue.next(now); }

  void confirm(BatchPtr batch) {
    queue.finish(*batch, false);
    queue.resolved(batch->epoch, batch->calls.size(), batch->payload());
  }

  static QueueOptions options() {
    QueueOptions options;
    options.topic = "projects/p/topics/t";
    options.max_in_flight = 3;
    options.full_messages = 10;
    options.publish_timeout = 10s;
    options.max_stopped_keys = 3;
    return options;
  }

  PublishQueue queue{options()};
  Clock::time_point now{100s};
};

TEST_F(PublishQueueTest, GivesOutALoneMessageAtOnce) {
  ASSERT_TRUE(add("a"));
  const BatchPtr batch = next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->calls.size(), 1U);
  EXPECT_EQ(batch->deadline, now + 10s);
  EXPECT_FALSE(next());
}

TEST_F(PublishQueueTest, FillsABatchWhileARequestIsUnderWay) {
  add("a");
  BatchPtr first = next();
  for (int i = 0; i < 9; ++i) {
    add("b");
    EXPECT_FALSE(next());
  }
  add("b");
  const BatchPtr full = next();
  ASSERT_TRUE(full) << "a full batch does not wait";
  EXPECT_EQ(full->calls.size(), 10U);
  add("c");
  EXPECT_FALSE(next());
  now += 5ms;
  const BatchPtr held = next();
  ASSERT_TRUE(held) << "nothing is held longer than that";
  add("d");
  now += 5ms;
  EXPECT_FALSE(next()) << "three requests under way are enough";
  confirm(std::move(first));
  EXPECT_TRUE(next());
}

TEST_F(PublishQueueTest, ClosesABatchByBytes) {
  add("a");
  const BatchPtr first = next();
  add(std::string(200'000, 'x'));
  EXPECT_FALSE(next());
  add(std::string(100'000, 'x'));
  const BatchPtr full = next();
  ASSERT_TRUE(full);
  EXPECT_EQ(full->calls.size(), 2U);
}

TEST_F(PublishQueueTest, NeverExceedsPubSubsRequestSize) {
  add("x");
  const BatchPtr first = next();
  const std::string half(6'000'000, 'x');
  add(half);
  add(half);
  const BatchPtr second = next();
  const BatchPtr third = next();
  ASSERT_TRUE(second && third);
  EXPECT_EQ(second->calls.size(), 1U);
  EXPECT_EQ(third->calls.size(), 1U);
}

TEST_F(PublishQueueTest, KeepsOneRequestAKeyUnderWay) {
  add("1", "k");
  BatchPtr first = next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->ordering_key, "k");
  add("2", "k");
  add("3", "k");
  now += 1min;
  EXPECT_FALSE(next());
  add("other", "l");
  const BatchPtr other = next();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->ordering_key, "l");
  confirm(std::move(first));
  const BatchPtr second = next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->calls.size(), 2U);
}

TEST_F(PublishQueueTest, StopsAKeyThatFailedUntilItIsResumed) {
  add("1", "k");
  BatchPtr first = next();
  add("2", "k");
  const auto behind = queue.finish(*first, true);
  ASSERT_EQ(behind.size(), 1U);
  EXPECT_FALSE(add("3", "k"));
  EXPECT_TRUE(add("1", "l"));
  queue.resume("k");
  EXPECT_TRUE(add("4", "k"));
  EXPECT_EQ(next()->ordering_key, "l");
  EXPECT_EQ(next()->ordering_key, "k");
}

TEST_F(PublishQueueTest, StopsEveryKeyRatherThanForgetOne) {
  const auto fail = [this](const char* key) {
    ASSERT_TRUE(add("1", key));
    const BatchPtr batch = next();
    ASSERT_TRUE(batch);
    queue.finish(*batch, true);
    queue.resolved(batch->epoch, batch->calls.size(), batch->payload());
  };
  for (const char* key : {"a", "b", "c"}) fail(key);
  EXPECT_FALSE(queue.all_keys_stopped());
  queue.resume("c");
  fail("c");
  EXPECT_FALSE(queue.all_keys_stopped()) << "a key that is resumed makes room";
  fail("d");
  EXPECT_TRUE(queue.all_keys_stopped());
  for (const char* key : {"a", "b", "c", "d", "new"}) EXPECT_FALSE(add("2", key)) << key;
  queue.resume("d");
  EXPECT_FALSE(add("2", "d")) << "which keys have failed is not known any more";
  EXPECT_TRUE(add("without a key"));
  queue.resume_all();
  EXPECT_FALSE(queue.all_keys_stopped());
  for (const char* key : {"a", "b", "c", "d", "new"}) EXPECT_TRUE(add("3", key)) << key;
}

TEST_F(PublishQueueTest, StopsEveryKeyWhenTooManyAreGivenUpAtOnce) {
  for (const char* key : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(add("1", key));
  EXPECT_EQ(queue.clear().size(), 5U);
  EXPECT_TRUE(queue.all_keys_stopped());
  EXPECT_FALSE(add("2", "a"));
  queue.resume_all();
  EXPECT_TRUE(add("2", "a"));
}

TEST_F(PublishQueueTest, ARetryKeepsItsPlaceAndComesBackWhenDue) {
  add("1", "k");
  queue.retry(next(), now + 1s);
  add("2", "k");
  EXPECT_FALSE(next());
  queue.hasten(now);
  const BatchPtr again = next();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->calls.size(), 1U);
  EXPECT_FALSE(next());
}

TEST_F(PublishQueueTest, ExpiresWhatWaitsTooLongAndStopsItsKey) {
  for (int i = 0; i < 3; ++i) {
    add("busy");
    now += 6ms;
    ASSERT_TRUE(next());
  }
  add("plain");
  add("keyed", "k");
  add("more", "k");
  now += 9s;
  EXPECT_TRUE(queue.expire(now).empty());
  now += 1s;
  const auto expired = queue.expire(now);
  ASSERT_EQ(expired.size(), 2U);
  EXPECT_EQ(expired[0]->calls.size() + expired[1]->calls.size(), 3U);
  EXPECT_FALSE(add("later", "k"));
}

TEST_F(PublishQueueTest, TwoHalvesGoBackToTheHeadOfTheQueue) {
  for (const char* key : {"", "k"}) {
    // Both are added before the queue is asked, so they share a request.
    add("1", key);
    add("2", key);
    BatchPtr batch = next();
    ASSERT_EQ(batch->calls.size(), 2U);
    add("3", key);
    BatchPtr rest = split(*batch);
    queue.requeue(std::move(batch), std::move(rest));
    for (int i = 0; i < 3; ++i) {
      BatchPtr one = next();
      ASSERT_TRUE(one);
      EXPECT_LE(one->calls.size(), 2U);
      confirm(std::move(one));
      if (queue.messages() == 0) break;
    }
    EXPECT_EQ(queue.messages(), 0U);
  }
}

TEST_F(PublishQueueTest, AFlushWaitsForWhatWasQueuedBeforeItOnly) {
  add("1");
  BatchPtr first = next();
  add("2");
  const std::uint64_t epoch = queue.begin_epoch();
  EXPECT_EQ(queue.unresolved(epoch), 2U);
  add("3");
  EXPECT_EQ(queue.unresolved(epoch), 2U);
  confirm(std::move(first));
  BatchPtr second = next();
  ASSERT_EQ(second->calls.size(), 1U);
  confirm(std::move(second));
  EXPECT_EQ(queue.unresolved(epoch), 0U);
  EXPECT_EQ(queue.messages(), 1U);
}

TEST_F(PublishQueueTest, CountsBytesDownToZero) {
  for (int i = 0; i < 25; ++i) add("payload", i % 3 == 0 ? "k" : "");
  EXPECT_EQ(queue.messages(), 25U);
  while (BatchPtr batch = next()) confirm(std::move(batch));
  EXPECT_EQ(queue.messages(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);
}

}  // namespace
}  // namespace cfd::pubsub
