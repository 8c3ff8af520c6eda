#include "pubsub/subscriber.hpp"

#include <utility>

#include "pubsub/grpc_process.hpp"
#include "pubsub/pull_engine.hpp"

namespace cfd::pubsub {

GrpcSubscriber::GrpcSubscriber(transport::SubscriberConfig config, Backoff backoff, PullTimes times)
    : config_(std::move(config)), backoff_(backoff), times_(times) {}

std::string GrpcSubscriber::run(std::stop_token stop, const Handler& handler) {
  claim_grpc();
  PullEngine engine(config_, backoff_, times_, std::move(stop), handler);
  return engine.run();
}

}  // namespace cfd::pubsub
