#include <cfd/call.hpp>

#include "transport/call_state.hpp"

namespace cfd {

std::string Call::id() const {
  return std::string(state_->id());
}

std::string Call::wait() const {
  return state_->wait_until(std::chrono::steady_clock::time_point::max());
}

std::string Call::wait_for(std::chrono::milliseconds timeout) const {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  // A wish such as milliseconds::max() means "for ever" and must not overflow.
  const bool endless =
      timeout > std::chrono::duration_cast<std::chrono::milliseconds>(Clock::time_point::max() - now);
  return state_->wait_until(endless ? Clock::time_point::max() : now + timeout);
}

bool Call::done() const noexcept {
  return state_->done();
}

}  // namespace cfd
