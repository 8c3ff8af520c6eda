// Workers of both kinds are killed at random moments while calls flow, and each call is accounted for:
// executed, or a dead letter that the worker itself published, or still waiting. CFD_ACCOUNTING_CALLS sets
// the number of calls, CFD_ACCOUNTING_SEED repeats a run's choices.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "integration/process.hpp"
#include "integration/pubsub.hpp"

namespace cfd::integration {
namespace {

using Clock = std::chrono::steady_clock;
using Calls = std::set<int>;

constexpr std::size_t shortest_note = std::string_view("call #1;\n").size();

unsigned from_environment(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

/// The number of the call in `text`, wherever that is.
int number_in(const std::string& text) {
  const std::size_t at = text.find('#');
  return at == std::string::npos ? -1 : std::stoi(text.substr(at + 1));
}

/// The calls as one subscription delivers them, to one worker or several that are alike.
struct Lane {
  std::string subscription;
  std::string notes;                               ///< the file of what was executed
  std::vector<std::vector<std::string>> commands;  ///< one for each worker
  std::vector<std::unique_ptr<Process>> workers;
  Calls rejected = {};

  Calls executed() const {
    Calls calls;
    std::ifstream file(notes);
    for (std::string line; std::getline(file, line);) calls.insert(number_in(line));
    return calls;
  }

  off_t noted() const {
    struct stat status {};
    return stat(notes.c_str(), &status) == 0 ? status.st_size : 0;
  }
};

class AccountingTest : public testing::Test {
 protected:
  AccountingTest() : pubsub_(Server::instance().host()) {
    pubsub_.create_topic(topic_);
    pubsub_.create_topic(letters_);
    pubsub_.create_subscription(letters_, letters_);
  }

  void start(Lane& lane, std::size_t worker) {
    const std::string ready = directory_ / ("ready-" + std::to_string(started_++));
    std::vector<std::string> command = lane.commands[worker];
    command.insert(command.end(), {"--ready-file", ready});
    const auto environment = settings({{"CFD_TEST_NOTES", lane.notes},
                                       {"CLOUD_FUNCTIONS_DISPATCH_DEAD_LETTER_TOPIC", letters_},
                                       {"CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL", "error"}});
    lane.workers[worker] = std::make_unique<Process>(command, environment);
    address_ = wait_for_file(ready, *lane.workers[worker]);
  }

  Lane pulled(std::size_t workers) {
    Lane lane{topic_ + "-pull", directory_ / "pulled", {}, {}};
    pubsub_.create_subscription(lane.subscription, topic_);
    lane.workers.resize(workers);
    lane.commands.assign(workers, {CFD_TEST_WORKER, "--pull", lane.subscription});
    for (std::size_t i = 0; i < workers; ++i) start(lane, i);
    return lane;
  }

  Lane pushed() {
    Lane lane{topic_ + "-push", directory_ / "pushed", {{CFD_TEST_WORKER, "--port", "0"}}, {}};
    lane.workers.resize(1);
    start(lane, 0);
    const std::string port = address_.substr(address_.rfind(':') + 1);
    pubsub_.create_subscription(lane.subscription, topic_, "http://127.0.0.1:" + port + "/");
    lane.commands[0].back() = port;
    return lane;
  }

  /// Has `from` to `to` called, and meanwhile, at a random moment, kills a worker and starts it again.
  void kill_under(Lane& lane, unsigned from, unsigned to) {
    const std::size_t worker = random_() % lane.workers.size();
    // A tenth of the calls leaves no note.
    const off_t enough =
        lane.noted() + static_cast<off_t>(random_() % ((to - from) * 8 / 10 * shortest_note));
    Process caller({CFD_TEST_CALLER, "notes", std::to_string(from) + "-" + std::to_string(to)}, settings());
    const auto deadline = Clock::now() + patience;
    while (lane.noted() < enough) {
      ASSERT_LT(Clock::now(), deadline) << "nothing more is executed of " << lane.subscription;
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 2000));
    }
    lane.workers[worker]->signal(SIGKILL);
    ASSERT_EQ(lane.workers[worker]->wait(), 128 + SIGKILL) << lane.workers[worker]->output();
    start(lane, worker);
    ASSERT_EQ(caller.wait(), 0) << caller.output();
  }

  static void kill_all(Lane& lane) {
    for (const auto& worker : lane.workers) {
      worker->signal(SIGKILL);
      worker->wait();
    }
  }

  /// Calls of which there is no trace: not executed, not rejected, and not in `subscription` either, where
  /// that is named.
  Calls missing(Lane& lane, std::vector<Lane*> lanes, const std::string& subscription = {}) {
    Calls waiting;
    const auto deadline = Clock::now() + patience;
    for (;;) {
      take_letters(lanes);
      Calls left;
      const Calls executed = lane.executed();
      for (int call = 0; call < static_cast<int>(calls_); ++call)
        if (!executed.contains(call) && !lane.rejected.contains(call) && !waiting.contains(call))
          left.insert(call);
      if (left.empty() || Clock::now() > deadline) return left;
      if (subscription.empty()) continue;
      for (const Received& message : pubsub_.pull_once(subscription, std::chrono::seconds(1)))
        waiting.insert(number_in(message.data));
    }
  }

  void take_letters(const std::vector<Lane*>& lanes) {
    for (const Received& letter : pubsub_.pull_once(letters_, std::chrono::milliseconds(200)))
      for (Lane* lane : lanes)
        if (letter.attributes.at("CloudPubSubDeadLetterSourceSubscription") == lane->subscription)
          lane->rejected.insert(number_in(letter.data));
  }

  Environment settings(Environment environment = {}) const {
    environment["GCP_PROJECT"] = project;
    environment["CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC"] = topic_;
    environment["PUBSUB_EMULATOR_HOST"] = Server::instance().host();
    return environment;
  }

  const unsigned calls_ = from_environment("CFD_ACCOUNTING_CALLS", 5000);
  const unsigned seed_ = from_environment("CFD_ACCOUNTING_SEED", std::random_device()());
  std::mt19937 random_{seed_};
  TemporaryDirectory directory_;
  const std::string topic_ = "accounting-" + std::to_string(getpid());
  const std::string letters_ = topic_ + "-letters";
  PubSub pubsub_;
  std::string address_;  ///< of the worker started last
  int started_ = 0;
};

TEST_F(AccountingTest, NoCallIsLost) {
  if (Server::is_google()) GTEST_SKIP() << "Google's emulator has no snapshots";
  SCOPED_TRACE("CFD_ACCOUNTING_SEED=" + std::to_string(seed_));
  Lane pull = pulled(2);
  Lane push = pushed();
  const std::vector<Lane*> lanes{&pull, &push};
  const unsigned kills = std::clamp(calls_ / 500, 1U, 200U);
  for (unsigned kill = 0; kill < kills; ++kill)
    ASSERT_NO_FATAL_FAILURE(
        kill_under(*lanes[random_() % lanes.size()], calls_ * kill / kills, calls_ * (kill + 1) / kills));
  for (Lane* lane : lanes) kill_all(*lane);
  pubsub_.stop_pushing(push.subscription);

  // All are dead. What they have acknowledged was executed, or is a dead letter; all else still waits.
  for (Lane* lane : lanes) {
    const std::string rest = lane->subscription + "-rest";
    pubsub_.create_snapshot(rest, lane->subscription);
    pubsub_.create_subscription(rest, topic_);
    pubsub_.seek(rest, rest);
    const std::size_t executed = lane->executed().size();
    EXPECT_GT(executed, 0U);
    EXPECT_THAT(missing(*lane, lanes, rest), testing::IsEmpty()) << lane->subscription;
    std::cout << lane->subscription << ": " << executed << " executed, " << lane->rejected.size()
              << " rejected at the last of " << kills << " kills" << '\n';
  }

  // ... and is executed, or rejected, by the next worker.
  Lane last{topic_ + "-last", pull.notes, {{CFD_TEST_WORKER, "--pull", pull.subscription}}, {}};
  last.workers.resize(1);
  pubsub_.seek(pull.subscription, pull.subscription + "-rest");
  start(last, 0);
  EXPECT_THAT(missing(pull, lanes), testing::IsEmpty());
  Lane last_push{last.subscription, push.notes, {{CFD_TEST_WORKER, "--pull", push.subscription}}, {}};
  last_push.workers.resize(1);
  pubsub_.seek(push.subscription, push.subscription + "-rest");
  start(last_push, 0);
  EXPECT_THAT(missing(push, lanes), testing::IsEmpty());
}

}  // namespace
}  // namespace cfd::integration
