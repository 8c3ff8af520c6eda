#include <gtest/gtest.h>

#include <cfd/builtin.hpp>
#include <cfd/testing.hpp>

namespace {

TEST(Builtin, PingForwardsFromInsideTheFunction) {
  cfd::testing::InMemory pubsub;
  cfd::ping_forward_to_show_args(1, "a", cfd::arg("x") = 7);
  EXPECT_EQ(pubsub.execute_next().verdict, cfd::Verdict::executed);
  const auto calls = pubsub.calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].function, "cfd.ping_show_args");
  EXPECT_EQ(to_string(calls[0].args), R"([1, "a"])");
  EXPECT_EQ(to_string(calls[0].kwargs), R"({"x": 7})");
  EXPECT_EQ(pubsub.execute_next().verdict, cfd::Verdict::executed);
  EXPECT_TRUE(pubsub.calls().empty());
}

}  // namespace
