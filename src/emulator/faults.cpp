#include "emulator/faults.hpp"

#include <algorithm>
#include <utility>

namespace cfd::emulator {

void Faults::add(Fault fault) {
  const std::lock_guard lock(mutex_);
  if (fault.count > 0) faults_.push_back(std::move(fault));
  any_ = !faults_.empty();
}

void Faults::clear() {
  decltype(held_) held;
  {
    const std::lock_guard lock(mutex_);
    faults_.clear();
    any_ = false;
    held.swap(held_);
  }
  for (const auto& [method, calls] : held) {
    for (const auto& call : calls) call();
  }
}

void Faults::apply(std::string_view method, std::function<void(const Fault&)> go) {
  if (!any_) return go({});
  Fault fault;
  std::vector<std::function<void()>> released;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(faults_, method, &Fault::method);
    if (found != faults_.end()) {
      fault = *found;
      const bool last = --found->count == 0;
      if (last) faults_.erase(found);
      any_ = !faults_.empty();
      if (fault.reorder) {
        held_[fault.method].push_back([go, fault] { go(fault); });
        if (!last) return;
        released = std::move(held_[fault.method]);
        held_.erase(fault.method);
      }
    }
  }
  if (fault.reorder) {
    for (auto call = released.rbegin(); call != released.rend(); ++call) (*call)();
    return;
  }
  if (fault.delay <= Duration::zero()) return go(fault);
  scheduler_.at(scheduler_.clock().now() + fault.delay, [go = std::move(go), fault] { go(fault); });
}

}  // namespace cfd::emulator
