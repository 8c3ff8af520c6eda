#pragma once

/// \file
/// The subscriber over gRPC: one StreamingPull that is opened again whenever it ends for a passing reason.

#include <chrono>
#include <string>

#include "pubsub/backoff.hpp"
#include "transport/transport.hpp"

namespace cfd::pubsub {

/// The subscriber's clocks; tests make them tick faster.
struct PullTimes {
  std::chrono::seconds ack_deadline{60};  ///< of the stream; leases are extended while messages are held
  std::chrono::milliseconds tick{10};     ///< how often acknowledgements are sent while messages are held
  std::chrono::milliseconds idle_tick{500};
  std::chrono::milliseconds keep_alive{30'000};  ///< the service closes a stream that is silent for 60 s
  std::chrono::milliseconds stuck{60'000};       ///< an opening or a write that takes longer ends the stream
  std::chrono::milliseconds silent{15 *
                                   60'000};   ///< so does a stream that has not brought anything for so long
  std::chrono::milliseconds farewell{3'000};  ///< for the last acknowledgements
};

/// See transport::Subscriber for the contract. run() may be called once.
class GrpcSubscriber final : public transport::Subscriber {
 public:
  explicit GrpcSubscriber(transport::SubscriberConfig config,
                          Backoff backoff = {std::chrono::milliseconds(100),
                                             std::chrono::milliseconds(30'000), 2},
                          PullTimes times = {});

  std::string run(std::stop_token stop, const Handler& handler) override;

 private:
  const transport::SubscriberConfig config_;
  const Backoff backoff_;
  const PullTimes times_;
};

}  // namespace cfd::pubsub
