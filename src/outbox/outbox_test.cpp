#include "outbox/outbox.hpp"

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/call.hpp>
#include <cfd/error.hpp>
#include <cfd/outbox.hpp>

namespace cfd::outbox {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using transport::Clock;

constexpr std::string_view hex = "0123456789abcdef";

/// A Pub/Sub that does what the test says with each message: the error code it returns, or "" to confirm, or
/// "hold".
class Broker final : public transport::Publisher {
 public:
  using Script = std::function<std::string(const std::string& data)>;
  explicit Broker(Script script = {}) : script_(std::move(script)) {}

  void publish(const transport::Outgoing& message, detail::CallStatePtr call) override {
    const std::string data(message.data);
    const std::string code = script_ ? script_(data) : "";
    if (code == "hold") {
      held_.push_back(std::move(call));
    } else if (!code.empty()) {
      call->fail(code, "as the test wants it");
    } else {
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(data);
        for (const Attribute& a : message.attributes)
          received_.back() += "|" + std::string(a.key) + "=" + std::string(a.value);
        if (!message.ordering_key.empty()) received_.back() += "|" + std::string(message.ordering_key);
      }
      call->confirm("id-" + data);
    }
  }
  std::size_t flush(Clock::time_point) override { return 0; }
  std::size_t close(Clock::time_point) override { return 0; }

  std::vector<std::string> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  const Script script_;
  mutable std::mutex mutex_;
  std::vector<std::string> received_;
  std::vector<detail::CallStatePtr> held_;
};

class OutboxTest : public testing::Test {
 protected:
  OutboxTest()
      : file_(std::filesystem::path(testing::TempDir()) /
              ("cfd-outbox-" + std::to_string(getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    remove();
  }
  void TearDown() override { remove(); }

  void remove() const {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_.string() + suffix);
  }

  Call publish(transport::Publisher& publisher, std::string_view data, std::string_view key = {}) {
    std::string id(32, '0');
    for (std::size_t i = 0, n = ++calls_; n != 0; n /= 16, ++i) id[31 - i] = hex[n % 16];
    auto state = detail::make_call_state(id);
    const std::array<Attribute, 1> attributes{{{"function", "f"}}};
    publisher.publish({data, attributes, key}, state);
    return Call(state);
  }

  const std::filesystem::path file_;
  std::size_t calls_ = 0;
};

std::string outcome(const Call& call) {
  try {
    return call.wait_for(60s);
  } catch (const PublishError& e) {
    return e.code();
  }
}

TEST_F(OutboxTest, SendsWhatItIsGivenInOrderAndEmptiesItself) {
  Broker broker;
  Outbox outbox(file_, broker);
  const Call first = publish(outbox, "1");
  const Call second = publish(outbox, "2", "key");
  EXPECT_EQ(outcome(first), "id-1");
  EXPECT_EQ(outcome(second), "id-2");
  EXPECT_EQ(outbox.flush(Clock::now() + 60s), 0U);
  EXPECT_THAT(broker.received(), ElementsAre("1|function=f", "2|function=f|key"));
  EXPECT_EQ(Journal(file_).count(), 0U);
}

TEST_F(OutboxTest, SurvivesTheDeathOfTheProgram) {
  const pid_t child = fork();
  if (child == 0) {
    Broker deaf([](const std::string&) { return "hold"; });
    Outbox outbox(file_, deaf);
    for (int i = 0; i < 500; ++i) publish(outbox, std::to_string(1000 + i));
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(Journal(file_).count(), 500U);
  Broker broker;
  Outbox outbox(file_, broker);
  EXPECT_EQ(outbox.flush(Clock::now() + 60s), 0U);
  const auto received = broker.received();
  ASSERT_EQ(received.size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(received[i], std::to_string(1000 + i) + "|function=f");
}

TEST_F(OutboxTest, TriesAgainWhatFailedForNow) {
  std::atomic<int> attempts = 0;
  Broker broker([&](const std::string&) { return ++attempts < 3 ? "UNAVAILABLE" : ""; });
  Outbox outbox(file_, broker);
  EXPECT_EQ(outcome(publish(outbox, "1")), "id-1");
  EXPECT_EQ(attempts, 3);
}

TEST_F(OutboxTest, SetsAsideWhatIsRefused) {
  Broker broker([](const std::string& data) { return data == "bad" ? "INVALID_ARGUMENT" : ""; });
  Outbox outbox(file_, broker);
  const Call bad = publish(outbox, "bad");
  const Call good = publish(outbox, "good");
  EXPECT_EQ(outcome(bad), "INVALID_ARGUMENT");
  EXPECT_EQ(outcome(good), "id-good");
  EXPECT_EQ(outbox.flush(Clock::now() + 60s), 0U);
}

TEST_F(OutboxTest, ClosedKeepsWhatIsLeftForTheNextRun) {
  {
    Broker broken([](const std::string&) { return "UNAVAILABLE"; });
    Outbox outbox(file_, broken);
    const Call call = publish(outbox, "1");
    EXPECT_EQ(outbox.close(Clock::now()), 1U);
    EXPECT_EQ(outcome(call), "CANCELLED");
    EXPECT_THROW(publish(outbox, "2"), PublishError);
  }
  Broker broker;
  Outbox outbox(file_, broker);
  EXPECT_EQ(outbox.flush(Clock::now() + 60s), 0U);
  EXPECT_THAT(broker.received(), ElementsAre("1|function=f"));
}

TEST_F(OutboxTest, SaysWhyTheFileCannotBeOpened) {
  Broker broker;
  try {
    const Outbox outbox("/nowhere/at/all", broker);
    FAIL() << "opened";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("/nowhere/at/all"));
  }
}

class TransactionTest : public OutboxTest {
 protected:
  TransactionTest() {
    sqlite3_open(file_.c_str(), &database_);
    sqlite3_busy_timeout(database_, 10'000);
    execute(database_, "CREATE TABLE orders (name TEXT)");
  }
  void TearDown() override {
    sqlite3_close(database_);
    OutboxTest::TearDown();
  }

  int orders() {
    sqlite3_stmt* select = nullptr;
    sqlite3_prepare_v2(database_, "SELECT count(*) FROM orders", -1, &select, nullptr);
    sqlite3_step(select);
    const int count = sqlite3_column_int(select, 0);
    sqlite3_finalize(select);
    return count;
  }

  sqlite3* database_ = nullptr;
  Broker broker_;
};

TEST_F(TransactionTest, SendsTheCallsOfACommittedTransactionOnly) {
  Outbox outbox(file_, broker_);
  std::vector<Call> calls;
  transaction(database_, [&] {
    execute(database_, "INSERT INTO orders VALUES ('a')");
    calls.push_back(publish(outbox, "confirm a"));
  });
  EXPECT_EQ(outcome(calls[0]), "id-confirm a");
  EXPECT_THROW(transaction(database_,
                           [&] {
                             execute(database_, "INSERT INTO orders VALUES ('b')");
                             calls.push_back(publish(outbox, "confirm b"));
                             throw std::runtime_error("changed my mind");
                           }),
               std::runtime_error);
  EXPECT_EQ(outcome(calls[1]), "ABORTED");
  EXPECT_EQ(orders(), 1);
  EXPECT_EQ(outbox.flush(Clock::now() + 60s), 0U);
  EXPECT_THAT(broker_.received(), ElementsAre("confirm a|function=f"));
}

TEST_F(TransactionTest, RefusesATransactionInsideOfAnother) {
  Outbox outbox(file_, broker_);
  EXPECT_THROW(transaction(database_, [&] { transaction(database_, [] {}); }), Error);
  transaction(database_, [&] { publish(outbox, "still works"); });
  EXPECT_EQ(outbox.flush(Clock::now() + 60s), 0U);
  EXPECT_THAT(broker_.received(), ElementsAre("still works|function=f"));
}

}  // namespace
}  // namespace cfd::outbox
