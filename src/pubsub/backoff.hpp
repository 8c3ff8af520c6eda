#pragma once

/// \file
/// Exponential backoff with jitter.

#include <chrono>

namespace cfd::pubsub {

struct Backoff {
  std::chrono::milliseconds initial{100};
  std::chrono::milliseconds maximum{60'000};
  double multiplier = 4;

  /// How long to wait after failure number `failures`, counted from 1: between half and all of the nominal
  /// time, so that clients that failed together do not come back together. Thread-safe.
  std::chrono::milliseconds delay(int failures) const;
};

}  // namespace cfd::pubsub
