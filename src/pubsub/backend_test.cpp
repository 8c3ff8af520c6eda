#include <gtest/gtest.h>

#include "transport/transport.hpp"

namespace cfd::pubsub {
namespace {

TEST(Backend, IsThereBecauseItIsLinked) {
  EXPECT_NE(transport::backend().make_publisher, nullptr);
  EXPECT_NE(transport::backend().make_subscriber, nullptr);
}

}  // namespace
}  // namespace cfd::pubsub
