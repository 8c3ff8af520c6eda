// Caller and worker need not be of one version.
#include <gmock/gmock.h>

#include "integration/deployment.hpp"

namespace cfd::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class Versions : public Deployment {};
INSTANTIATE_TEST_SUITE_P(By, Versions, testing::Values(Delivery::pull), delivery_name);

TEST_P(Versions, AnOldCallerReachesANewWorkerWhichFillsInDefaults) {
  Process& worker = start_worker({}, CFD_TEST_VERSION_2);
  ASSERT_EQ(run_caller({CFD_TEST_VERSION_1, "call", "place"}), 0) << caller_output();
  worker.wait_for("version 2 places 3 of pen for 5 EUR: no note");
}

TEST_P(Versions, ANewCallerReachesAnOldWorkerWhichLeavesOutWhatItDoesNotKnow) {
  Process& worker = start_worker({}, CFD_TEST_VERSION_1);
  ASSERT_EQ(run_caller({CFD_TEST_VERSION_2, "call", "place"}), 0) << caller_output();
  worker.wait_for("version 1 places 3 of pen for 5");
}

TEST_P(Versions, AChangedTypeIsRejectedWithWhatWasExpectedAndWhatCame) {
  Process& worker = start_worker({}, CFD_TEST_VERSION_2);
  ASSERT_EQ(run_caller({CFD_TEST_VERSION_1, "call", "changed"}), 0) << caller_output();
  worker.wait_for("v.changed");
  worker.wait_for("status: 'reject'");
  EXPECT_THAT(worker.output(), AllOf(HasSubstr("expected"), Not(HasSubstr("changed was run"))));
  EXPECT_THAT(unacknowledged(1), SizeIs(1));
}

}  // namespace
}  // namespace cfd::integration
