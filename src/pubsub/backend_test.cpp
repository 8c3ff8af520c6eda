#include <gtest/gtest.h>

#include "transport/transport.hpp"

namespace cfd::pubsub {
namespace {

TEST(Backend, IsThereBecauseItIsLinked) {
  EXPECT_NE(transport::backend().make_publisher, nullptr);
}

}  // namespace
}  // namespace cfd::pubsub
