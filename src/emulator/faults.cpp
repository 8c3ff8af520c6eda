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
  const std::lock_guard lock(mutex_);
  faults_.clear();
  any_ = false;
}

void Faults::apply(std::string_view method, std::function<void(const Fault&)> go) {
  if (!any_) return go({});
  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(faults_, method, &Fault::method);
    if (found != faults_.end()) {
      fault = *found;
      if (--found->count == 0) faults_.erase(found);
      any_ = !faults_.empty();
    }
  }
  if (fault.delay <= Duration::zero()) return go(fault);
  scheduler_.at(scheduler_.clock().now() + fault.delay, [go = std::move(go), fault] { go(fault); });
}

}  // namespace cfd::emulator
