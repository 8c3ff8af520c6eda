// What survives the end of a server.
#include "emulator/store.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "emulator/broker_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using google::protobuf::Empty;

/// A broker with its store, as a server has them.
struct Durable {
  explicit Durable(const std::string& directory) : store(directory) {
    broker.set_store(&store);
    store.start();
  }
  ~Durable() { store.stop(); }

  Status settled() {
    std::promise<Status> promise;
    broker.when_durable([&](const Status& status) { promise.set_value(status); });
    return promise.get_future().get();
  }

  Status publish(const std::vector<std::string>& data) {
    v1::PublishRequest request;
    request.set_topic(test_topic);
    for (const auto& one : data) request.add_messages()->set_data(one);
    std::promise<Status> promise;
    broker.publish(request.SerializeAsString(),
                   [&](const Status& status, const BatchPtr&) { promise.set_value(status); });
    return promise.get_future().get();
  }

  SubscriptionPtr queue() {
    SubscriptionPtr found;
    const auto status = broker.open_for_pull(test_subscription, found);
    EXPECT_TRUE(status.ok()) << status.message;
    return found;
  }
  std::vector<Delivery> pull(std::size_t limit = 100'000) {
    const auto consumer = queue()->add_consumer([] {}, 0, 0);
    return queue()->take(consumer, limit, 1U << 30U, 10s);
  }

  ManualClock clock;
  Scheduler scheduler{clock};
  Store store;
  Broker broker{scheduler};
};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cfd-store-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(directory_); }

  static void create(Broker& broker) {
    v1::Topic topic;
    topic.set_name(test_topic);
    ASSERT_TRUE(broker.create_topic(topic, topic).ok());
    v1::Subscription subscription;
    subscription.set_name(test_subscription);
    subscription.set_topic(test_topic);
    subscription.set_filter("NOT attributes:hidden");
    ASSERT_TRUE(broker.create_subscription(subscription, subscription).ok());
  }

  static std::vector<std::string> data_of(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> data;
    for (const auto& delivery : deliveries) {
      v1::PubsubMessage message;
      EXPECT_TRUE(message.ParseFromString(std::string(delivery.message.wire())));
      data.push_back(message.data());
    }
    return data;
  }

  std::string directory_;
};

TEST_F(StoreTest, BringsBackWhatWasNotAcknowledged) {
  {
    Durable first(directory_);
    create(first.broker);
    ASSERT_TRUE(first.publish({"a", "b", "c"}).ok());
    ASSERT_TRUE(first.publish({"d"}).ok());
    const auto deliveries = first.pull(3);
    ASSERT_THAT(data_of(deliveries), ElementsAre("a", "b", "c"));
    first.queue()->acknowledge(std::array{deliveries[1].token});
    ASSERT_TRUE(first.settled().ok());
  }
  Durable second(directory_);
  EXPECT_EQ(second.queue()->settings().ack_deadline, 10s);
  const auto deliveries = second.pull();
  EXPECT_THAT(data_of(deliveries), ElementsAre("a", "c", "d"));
  ASSERT_TRUE(second.publish({"e"}).ok());
  const auto last = second.pull();
  ASSERT_THAT(data_of(last), ElementsAre("e"));
  EXPECT_GT(last[0].message.id(), deliveries[2].message.id()) << "ids are not given twice";
}

TEST_F(StoreTest, ForgetsWhatIsDone) {
  {
    Durable first(directory_);
    create(first.broker);
    ASSERT_TRUE(first.publish({"a", "b"}).ok());
    for (const auto& delivery : first.pull()) first.queue()->acknowledge(std::array{delivery.token});
    ASSERT_TRUE(first.settled().ok());
    EXPECT_EQ(first.store.database().largest_message_id(), 0U) << "no batch is left";
  }
  Durable second(directory_);
  EXPECT_THAT(second.pull(), IsEmpty());
  v1::DeleteSubscriptionRequest request;
  request.set_subscription(test_subscription);
  Empty empty;
  ASSERT_TRUE(second.broker.delete_subscription(request, empty).ok());
  ASSERT_TRUE(second.settled().ok());
  EXPECT_THAT(second.store.database().resources(ResourceKind::subscription), IsEmpty());
}

TEST_F(StoreTest, ALongBacklogIsNotHeldInMemoryAndLosesNothing) {
  Durable durable(directory_);
  create(durable.broker);
  const std::string padding(100'000, 'x');
  constexpr std::size_t count = 600;  // 60 MB, above what a queue keeps
  for (std::size_t i = 0; i < count; i += 10) {
    std::vector<std::string> batch;
    for (std::size_t k = 0; k < 10; ++k) batch.push_back(std::to_string(i + k) + " " + padding);
    ASSERT_TRUE(durable.publish(batch).ok());
  }
  std::size_t next = 0;
  for (auto deliveries = durable.pull(100); !deliveries.empty(); deliveries = durable.pull(100)) {
    for (const auto& data : data_of(deliveries)) EXPECT_EQ(std::stoul(data), next++);
    for (const auto& delivery : deliveries) durable.queue()->acknowledge(std::array{delivery.token});
  }
  EXPECT_EQ(next, count);
}

TEST_F(StoreTest, TwoServersCannotShareADirectory) {
  const Durable first(directory_);
  try {
    const Store second(directory_);
    FAIL() << "opened twice";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("in use by another server"));
  }
}

TEST_F(StoreTest, ADamagedFileIsNamed) {
  std::ofstream(directory_ + "/pubsub.db") << std::string(100'000, 'z');
  try {
    const Store store(directory_);
    FAIL() << "a damaged file was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("pubsub.db"));
  }
}

TEST_F(StoreTest, AFullDiskIsToldToThePublisherAndNothingIsPretended) {
  Durable durable(directory_);
  create(durable.broker);
  ASSERT_TRUE(durable.publish({"kept"}).ok());
  rlimit unlimited{};
  getrlimit(RLIMIT_FSIZE, &unlimited);
  std::signal(SIGXFSZ, SIG_IGN);
  // The write-ahead log may not grow beyond this: the nearest thing to a full disk that a test can have.
  const rlimit small{500'000, unlimited.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = durable.publish({std::string(2'000'000, 'x')});
  setrlimit(RLIMIT_FSIZE, &unlimited);
  EXPECT_EQ(refused.code, Code::unavailable);
  EXPECT_THAT(refused.message, HasSubstr("pubsub.db"));
  ASSERT_TRUE(durable.publish({"after"}).ok());
  EXPECT_THAT(data_of(durable.pull()), ElementsAre("kept", "after"));
}

/// A child publishes and acknowledges, and tells by a pipe what was confirmed to it, until it is killed. What
/// it told must be so after a restart.
TEST_F(StoreTest, SurvivesKillAtAnyMoment) {
  std::set<std::string> published;
  std::set<std::string> acknowledging;
  std::set<std::string> acknowledged;
  const auto note = [&](const char* line) {
    auto& told = line[0] == 'p' ? published : line[0] == 'i' ? acknowledging : acknowledged;
    told.insert(std::string(line + 1, std::strcspn(line, "\n") - 1));
  };
  {
    Durable first(directory_);
    create(first.broker);
    ASSERT_TRUE(first.settled().ok());
  }
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      Durable durable(directory_);
      const auto tell = [&](char kind, const std::string& data) {
        const auto line = kind + data + "\n";
        if (write(ends[1], line.data(), line.size()) < 0) _exit(1);
      };
      for (int i = 0;; ++i) {
        const auto data = std::to_string(round) + "-" + std::to_string(i);
        if (!durable.publish({data, data + "b"}).ok()) _exit(1);
        tell('p', data);
        tell('p', data + "b");
        const auto deliveries = durable.pull(1);
        for (const auto& intended : data_of(deliveries)) tell('i', intended);
        for (const auto& delivery : deliveries) durable.queue()->acknowledge(std::array{delivery.token});
        if (!durable.settled().ok()) _exit(1);
        for (const auto& done : data_of(deliveries)) tell('a', done);
      }
    }
    close(ends[1]);
    FILE* told = fdopen(ends[0], "r");
    char line[100];
    for (int i = 0; i < 60 + 7 * round && fgets(line, sizeof line, told) != nullptr; ++i) {
      note(line);
    }
    kill(child, SIGKILL);
    // What it told before the end counts as well.
    while (fgets(line, sizeof line, told) != nullptr) {
      note(line);
    }
    fclose(told);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  }
  Durable last(directory_);
  const auto left = data_of(last.pull());
  const std::set<std::string> there(left.begin(), left.end());
  EXPECT_THAT(left, SizeIs(there.size())) << "none is there twice";
  for (const auto& data : published) {
    EXPECT_TRUE(there.contains(data) || acknowledging.contains(data)) << data << " was confirmed and is lost";
  }
  for (const auto& data : acknowledged) EXPECT_FALSE(there.contains(data)) << data << " came back";
}

}  // namespace
}  // namespace cfd::emulator
