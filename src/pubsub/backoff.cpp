#include "pubsub/backoff.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace cfd::pubsub {

std::chrono::milliseconds Backoff::delay(int failures) const {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double nominal = std::min(static_cast<double>(maximum.count()),
                                  static_cast<double>(initial.count()) * std::pow(multiplier, failures - 1));
  std::uniform_real_distribution<double> jitter(nominal / 2, nominal);
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(jitter(random)));
}

}  // namespace cfd::pubsub
