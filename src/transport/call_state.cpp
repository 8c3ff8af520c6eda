#include "transport/call_state.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include <cfd/detail/function.hpp>
#include <cfd/error.hpp>
#include <cfd/log.hpp>
#include <cfd/options.hpp>

#include "settings/settings.hpp"
#include "transport/block_pool.hpp"
#include "transport/fork.hpp"

namespace cfd::detail {
namespace {

/// Waiting is rare and a condition variable is as large as the whole state, so all states share a few of
/// them.
struct WaitingRoom {
  std::mutex mutex;
  std::condition_variable changed;
};

/// Never destroyed: a handle may outlive every static object.
WaitingRoom& waiting_room(const void* state) {
  static auto* const rooms = new std::array<WaitingRoom, 16>;
  // States are allocated at least 64 bytes apart; the bits below carry nothing.
  return (*rooms)[(reinterpret_cast<std::uintptr_t>(state) >> 6U) % rooms->size()];
}

}  // namespace

CallState::CallState(std::string_view id, const Function* function) noexcept
    : process_(transport::fork_generation()), function_(function) {
  id_.fill('0');
  std::copy_n(id.data(), std::min(id.size(), id_.size()), id_.data());
}

void CallState::confirm(std::string_view message_id) {
  if (message_id.size() <= message_id_.size()) {
    std::copy_n(message_id.data(), message_id.size(), message_id_.data());
    message_id_size_ = static_cast<std::uint8_t>(message_id.size());
  } else {
    details_ = std::make_unique<Details>(Details{{}, std::string(message_id)});
  }
  resolve(Phase::confirmed);
}

void CallState::fail(std::string_view code, std::string_view message) {
  details_ = std::make_unique<Details>(Details{std::string(code), std::string(message)});
  if (function_ != nullptr) report_failure();
  resolve(Phase::failed);
}

void CallState::report_failure() const noexcept {
  // A hook that makes calls which fail at once would be called from within itself for ever.
  static thread_local bool reporting = false;
  if (reporting) return;
  const auto hook = settings::on_failed_call();
  if (!hook) return;
  reporting = true;
  try {
    (*hook)({function_->name, id(), details_->code, details_->text});
  } catch (const std::exception& e) {
    log::error("the hook for failed calls threw: {}", e.what());
  } catch (...) {
    log::error("the hook for failed calls threw");
  }
  reporting = false;
}

void CallState::resolve(Phase phase) noexcept {
  // Whoever waits marks the state under the room's lock, so a mark that is seen here has its owner either
  // asleep or still holding the lock: taking it once makes sure that the notification is not missed.
  if (phase_.exchange(phase, std::memory_order_acq_rel) != Phase::awaited) return;
  WaitingRoom& room = waiting_room(this);
  { const std::lock_guard lock(room.mutex); }
  room.changed.notify_all();
}

std::string CallState::wait_until(std::chrono::steady_clock::time_point deadline) const {
  if (done()) return result();
  if (process_ != transport::fork_generation())
    throw PublishError(
        "FAILED_PRECONDITION",
        "the call was made before this process was forked: only the parent process can wait for it");
  WaitingRoom& room = waiting_room(this);
  std::unique_lock lock(room.mutex);
  Phase expected = Phase::pending;
  phase_.compare_exchange_strong(expected, Phase::awaited, std::memory_order_acq_rel);
  const auto ready = [this] { return done(); };
  if (deadline == std::chrono::steady_clock::time_point::max()) {
    room.changed.wait(lock, ready);
  } else if (!room.changed.wait_until(lock, deadline, ready)) {
    throw TimeoutError("the call is not confirmed yet; it goes on, and wait() may be called again");
  }
  lock.unlock();
  return result();
}

std::string CallState::result() const {
  if (phase_.load(std::memory_order_acquire) == Phase::failed)
    throw PublishError(details_->code, details_->text);
  return details_ ? details_->text : std::string(message_id_.data(), message_id_size_);
}

CallStatePtr make_call_state(std::string_view id, const Function* function) {
  return std::allocate_shared<CallState>(transport::PoolAllocator<CallState>(), id, function);
}

}  // namespace cfd::detail
