#pragma once

/// \file
/// The dead-letter topic that a worker publishes rejected messages to, where the subscription has no such
/// policy.

#include <memory>
#include <string>

#include <cfd/event.hpp>

namespace cfd::transport {
class Publisher;
}

namespace cfd::worker {

class DeadLetters {
 public:
  /// The topic of the setting `dead_letter_topic`; none where that is not set. Throws ConfigError where the
  /// program links no transport to publish with.
  static std::unique_ptr<DeadLetters> from_settings();

  explicit DeadLetters(std::unique_ptr<transport::Publisher> publisher);
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  ~DeadLetters();

  /// What becomes of a rejected message: published, with its attributes, data and the reason, and confirmed,
  /// it counts as done; otherwise it is rejected still, and comes again. Waits for the confirmation.
  /// Thread-safe; never throws.
  Outcome take(const Event& event, Outcome rejected);

 private:
  std::unique_ptr<transport::Publisher> publisher_;
};

}  // namespace cfd::worker
