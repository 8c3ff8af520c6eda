// A call that was executed and recorded does not run again, whoever delivers it.
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

}  // namespace
}  // namespace cfd::integration
