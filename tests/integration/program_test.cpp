// What a program that calls or executes does at its start and at its end, on its own.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/deployment.hpp"

namespace cfd::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

TEST(Start, TwoFunctionsOfOneNameStopTheProgramAndNameBothPlaces) {
  Process program({CFD_TEST_DUPLICATE});
  EXPECT_NE(program.wait(), 0);
  EXPECT_THAT(program.output(), AllOf(HasSubstr("t.same"), HasSubstr("duplicate.cpp:7"),
                                      HasSubstr("duplicate.cpp:8"), Not(HasSubstr("main was reached"))));
}

TEST(Start, AMissingProjectIsAnErrorWithBothWaysOut) {
  Process caller({CFD_TEST_CALLER, "say", "x"}, {{"CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC", "my-topic"}});
  EXPECT_EQ(caller.wait(), 1);
  EXPECT_THAT(caller.output(),
              AllOf(HasSubstr("GCP_PROJECT"), HasSubstr("cfd emulator"), HasSubstr("PUBSUB_EMULATOR_HOST")));
}

TEST(Start, AMissingTopicIsAnErrorThatNamesTheVariable) {
  Process caller({CFD_TEST_CALLER, "say", "x"}, {{"GCP_PROJECT", "my-project"}});
  EXPECT_EQ(caller.wait(), 1);
  EXPECT_THAT(caller.output(), HasSubstr("CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC"));
}

TEST(Start, AMalformedSettingIsAnErrorThatNamesVariableAndValue) {
  Process caller(
      {CFD_TEST_CALLER, "say", "x"},
      {{"GCP_PROJECT", "my-project"}, {"CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC", "no spaces please"}});
  EXPECT_EQ(caller.wait(), 1);
  EXPECT_THAT(caller.output(),
              AllOf(HasSubstr("CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC"), HasSubstr("no spaces please")));
}

TEST(Start, AWorkerWhosePortIsTakenSaysSoAndEnds) {
  const TemporaryDirectory directory;
  Process first({CFD_TEST_WORKER, "--port", "0", "--ready-file", directory / "ready"});
  const std::string address = wait_for_file(directory / "ready", first);
  const std::string port = address.substr(address.rfind(':') + 1);
  Process second({CFD_TEST_WORKER, "--port", port});
  EXPECT_NE(second.wait(), 0);
  EXPECT_THAT(second.output(), HasSubstr(port));
}

// Only the calling side: what was called reaches the server although the program does nothing to wait for it.
class Exit : public Deployment {
 protected:
  void SetUp() override {
    Deployment::SetUp();
    if (!IsSkipped()) pubsub().create_subscription(subscription(), topic());
  }
};

INSTANTIATE_TEST_SUITE_P(By, Exit, testing::Values(Delivery::pull), delivery_name);

TEST_P(Exit, AReturnFromMainSendsWhatIsQueued) {
  ASSERT_EQ(call("many", "2000"), 0) << caller_output();
  EXPECT_THAT(pubsub().pull(subscription(), 2000), SizeIs(2000));
}

TEST_P(Exit, ACallOfStdExitSendsWhatIsQueued) {
  ASSERT_EQ(call("exit", "bye"), 0) << caller_output();
  EXPECT_THAT(pubsub().pull(subscription(), 1), SizeIs(1));
}

TEST_P(Exit, WhatCannotBeSentIsReportedAndTheProgramEnds) {
  // Nothing listens on port 1, and nobody but root could.
  call("many", "3",
       {{"PUBSUB_EMULATOR_HOST", "127.0.0.1:1"}, {"CLOUD_FUNCTIONS_DISPATCH_EXIT_TIMEOUT", "500ms"}});
  EXPECT_THAT(caller_output(), HasSubstr("3 call(s) were not confirmed"));
}

}  // namespace
}  // namespace cfd::integration
