// A call that was executed and recorded does not run again, whoever delivers it.
#include <csignal>
#include <memory>

#include <gmock/gmock.h>

#include "integration/deployment.hpp"

namespace cfd::integration {
namespace {

using testing::HasSubstr;

class OnceTest : public Deployment {
 protected:
  Environment once() const {
    return {{"CLOUD_FUNCTIONS_DISPATCH_ONCE", "sqlite:" + (directory() / "once.db")},
            {"CLOUD_FUNCTIONS_DISPATCH_ONCE_CLAIM", "1s"}};
  }
};
INSTANTIATE_TEST_SUITE_P(By, OnceTest, testing::Values(Delivery::push, Delivery::pull), delivery_name);

constexpr std::string_view say_hello = R"({"function":"t.say","args":["hello"]})";

TEST_P(OnceTest, ACallThatIsPublishedTwiceRunsOnce) {
  Process& worker = start_worker(once());
  const std::map<std::string, std::string> attributes{{"call_id", "0123456789abcdef0123456789abcdef"}};
  pubsub().publish(topic(), std::string(say_hello), attributes);
  worker.wait_for("finished with status: 'ok'");
  pubsub().publish(topic(), std::string(say_hello), attributes);
  worker.wait_for("acknowledged without running again");
  pubsub().publish(topic(), std::string(say_hello), {{"call_id", "another"}});
  worker.wait_for("finished with status: 'ok'", 2);
  EXPECT_EQ(count(worker.output(), "said hello"), 2);
}

TEST_P(OnceTest, ACallThatFailedRunsAgain) {
  Process& worker = start_worker(once());
  ASSERT_EQ(call("fail_once", directory() / "failed"), 0) << caller_output();
  worker.wait_for("this time it worked");
}

TEST_P(OnceTest, AStoreThatCannotBeOpenedIsSaidAtTheStart) {
  Process worker({CFD_TEST_WORKER, "--port", "0", "--once", "sqlite:/nowhere/once.db"}, settings());
  EXPECT_EQ(worker.wait(), 2);
  EXPECT_THAT(worker.output(), HasSubstr("/nowhere/once.db"));
}

// By push, where what a killed worker held comes again at once.
using KilledWorkerTest = OnceTest;
INSTANTIATE_TEST_SUITE_P(By, KilledWorkerTest, testing::Values(Delivery::push), delivery_name);

TEST_P(KilledWorkerTest, OnlyWhatRanAsItDiedMayRunTwice) {
  constexpr std::size_t calls = 400;
  constexpr std::size_t threads = 4;
  constexpr std::size_t kills = 3;
  Environment environment = once();
  environment["CLOUD_FUNCTIONS_DISPATCH_THREADS"] = std::to_string(threads);
  std::vector<Process*> workers{&start_worker(environment)};
  ASSERT_EQ(call("many", std::to_string(calls)), 0) << caller_output();
  for (std::size_t killed = 0; killed < kills; ++killed) {
    workers.back()->wait_for("said number", 40);
    workers.back()->signal(SIGKILL);
    workers.back()->wait();
    workers.push_back(&start_worker(environment));
  }
  const auto times_said = [&](const std::string& text) {
    std::size_t times = 0;
    for (Process* worker : workers) times += count(worker->output(), text);
    return times;
  };
  for (std::size_t i = 0; i < calls; ++i) {
    const std::string said = "said number " + std::to_string(i) + "\n";
    if (times_said(said) == 0) workers.back()->wait_for(said);
  }
  EXPECT_LE(times_said("said number"), calls + kills * threads);
}

}  // namespace
}  // namespace cfd::integration
