#include "emulator/scheduler.hpp"

#include <utility>

namespace cfd::emulator {

void Scheduler::at(Time time, Task task) {
  const std::lock_guard lock(mutex_);
  const bool earliest = timers_.empty() || time < timers_.top().time;
  timers_.push({time, std::move(task)});
  if (earliest) changed_.notify_one();
}

void Scheduler::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Scheduler::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

std::optional<Scheduler::Task> Scheduler::pop_due() {
  const std::lock_guard lock(mutex_);
  if (timers_.empty() || timers_.top().time > clock_.now()) return std::nullopt;
  Task task = timers_.top().task;
  timers_.pop();
  return task;
}

void Scheduler::run_due() {
  while (auto task = pop_due()) (*task)();
}

void Scheduler::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    run_due();
    std::unique_lock lock(mutex_);
    if (timers_.empty()) {
      changed_.wait(lock, stop, [&] { return !timers_.empty(); });
      continue;
    }
    const auto next = timers_.top().time;
    const auto wait = next - clock_.now();
    changed_.wait_for(lock, stop, wait, [&] { return !timers_.empty() && timers_.top().time < next; });
  }
}

}  // namespace cfd::emulator
