#include "metrics/metrics.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "registry/registry.hpp"

namespace cfd::metrics {
namespace {

// Functions register themselves before main, so that the table is made once and then only read.
struct Table {
  Table() : all(registry::all().size() + 1) {
    std::size_t row = 0;
    for (const detail::Function* function : registry::all()) {
      all[row].function = function->name;
      rows.emplace(function, &all[row++]);
    }
  }

  std::vector<Executions> all;
  std::unordered_map<const detail::Function*, Executions*> rows;
};

// Never destroyed: a function may run until the program's last moment.
Table& table() {
  static auto& instance = *new Table;
  return instance;
}

}  // namespace

Numbers& numbers() noexcept {
  static Numbers instance;
  return instance;
}

std::span<const Executions> executions() {
  return table().all;
}

void record(const detail::Function* function, Verdict verdict, std::chrono::nanoseconds took) {
  const auto found = table().rows.find(function);
  Executions& row = found != table().rows.end() ? *found->second : table().all.back();
  constexpr auto relaxed = std::memory_order_relaxed;
  row.outcomes.at(static_cast<std::size_t>(verdict)).fetch_add(1, relaxed);
  const double seconds = std::chrono::duration<double>(took).count();
  const auto* const bound = std::lower_bound(duration_bounds.begin(), duration_bounds.end(), seconds);
  row.durations.at(static_cast<std::size_t>(bound - duration_bounds.begin())).fetch_add(1, relaxed);
  row.nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), relaxed);
}

}  // namespace cfd::metrics
