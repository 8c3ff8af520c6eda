#pragma once

/// \file
/// The publisher over gRPC: batches by load, retries by Google's table, bounded queue.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "pubsub/backoff.hpp"
#include "pubsub/publish_queue.hpp"
#include "transport/transport.hpp"

namespace cfd::pubsub {

/// See transport::Publisher for the contract. A call made while nothing is under way is sent at once by the
/// calling thread; otherwise it joins a batch that goes out when it is full or when a request under way ends.
/// One thread of its own waits for the ends. In the child of a fork, publish() throws and everything else
/// does nothing.
class GrpcPublisher final : public transport::Publisher {
 public:
  /// Throws PublishError in the child of a process that has used gRPC.
  explicit GrpcPublisher(transport::PublisherConfig config, Backoff backoff = {});
  GrpcPublisher(const GrpcPublisher&) = delete;
  GrpcPublisher& operator=(const GrpcPublisher&) = delete;

  /// Closes at once; close() before it gives the queue time.
  ~GrpcPublisher() override;

  void publish(const transport::Outgoing& message, detail::CallStatePtr call) override;
  std::size_t flush(Clock::time_point deadline) override;
  std::size_t close(Clock::time_point deadline) override;
  void resume(std::string_view ordering_key) override;
  void resume_all() override;

 private:
  class Engine;
  bool in_child() const noexcept;

  std::unique_ptr<Engine> engine_;
  const std::uint32_t process_;
};

}  // namespace cfd::pubsub
