#include <algorithm>
#include <numeric>

#include "registry/registry.hpp"

namespace cfd::registry {

namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (const char c : a) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replace = diagonal + (c == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replace});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string_view> similar(std::string_view name) {
  name = name.substr(0, 200);  // no name is longer, and the name may come from anywhere
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const detail::Function* function : all()) {
    const std::size_t far = distance(name, function->name);
    if (far <= std::max<std::size_t>(2, name.size() / 3)) ranked.emplace_back(far, function->name);
  }
  std::ranges::sort(ranked);
  std::vector<std::string_view> names;
  for (const auto& [far, close] : ranked)
    if (names.size() < 3) names.push_back(close);
  return names;
}

}  // namespace cfd::registry
