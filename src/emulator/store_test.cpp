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

#include "emulator/store_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using google::protobuf::Empty;

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
// NOLINTNEXTLINE(readability-function-cognitive-complexity): one story, told in its order.
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
