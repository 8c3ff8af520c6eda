#pragma once

/// \file
/// Delivers to push endpoints: many requests at once over kept connections, with slow start and backoff.

#include <memory>

#include "emulator/broker.hpp"
#include "emulator/oidc.hpp"

namespace cfd::emulator {

/// Pushes on one thread of its own.
class PushDispatcher final : public PushControl {
 public:
  /// Signs for subscriptions that ask for it.
  explicit PushDispatcher(OidcSigner& signer);
  ~PushDispatcher() override;
  PushDispatcher(const PushDispatcher&) = delete;
  PushDispatcher& operator=(const PushDispatcher&) = delete;

  void configure(const v1::Subscription& subscription, const SubscriptionPtr& queue) override;
  void remove(const std::string& subscription) override;

  void start();
  /// Drops requests under way; their messages stay with their queues. Idempotent.
  void stop();

 private:
  class Pusher;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cfd::emulator
