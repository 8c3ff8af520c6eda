#include "pubsub/grpc_process.hpp"

#include <atomic>
#include <cstdint>

#include <cfd/error.hpp>

#include "transport/fork.hpp"

namespace cfd::pubsub {

void claim_grpc() {
  constexpr std::int64_t unclaimed = -1;
  static std::atomic<std::int64_t> owner = unclaimed;
  const std::int64_t process = transport::fork_generation();
  std::int64_t expected = unclaimed;
  if (owner.compare_exchange_strong(expected, process) || expected == process) return;
  throw PublishError(
      "FAILED_PRECONDITION",
      "this process was forked from one that had already talked to Pub/Sub, and gRPC does not survive "
      "that: fork before the first call, or exec after the fork");
}

}  // namespace cfd::pubsub
