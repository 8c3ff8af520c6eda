#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace bench {

Report::Report(std::string suite, int& argc, char** argv) : suite_(std::move(suite)) {
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0) {
      fmt::print("usage: bench_{} [--json FILE]\n", suite_);
      std::exit(0);
    }
    if (std::strcmp(argv[i], "--json") != 0) {
      argv[kept++] = argv[i];
    } else if (++i < argc) {
      json_path_ = argv[i];
    } else {
      fmt::print(stderr, "--json needs a file\n");
      std::exit(2);
    }
  }
  argc = kept;
}

void Report::add(std::string row, double value, std::string unit, std::string baseline, double ratio) {
  rows_.push_back({std::move(row), value, std::move(unit), std::move(baseline), ratio});
  const Row& added = rows_.back();
  if (added.baseline.empty())
    fmt::print("{:<32}{:>14.4g} {}\n", added.name, added.value, added.unit);
  else
    fmt::print("{:<32}{:>14.4g} {:<10} {:>8.3g} x {}\n", added.name, added.value, added.unit, added.ratio,
               added.baseline);
  std::fflush(stdout);
}

std::string Report::json() const {
  std::string text = "[";
  for (const Row& row : rows_) {
    text += text.size() > 1 ? ",\n " : "\n ";
    text += fmt::format(R"({{"suite": "{}", "row": "{}", "value": {:.6g}, "unit": "{}", )", suite_, row.name,
                        row.value, row.unit);
    if (row.baseline.empty())
      text += R"("baseline": null, "ratio": null})";
    else
      text += fmt::format(R"("baseline": "{}", "ratio": {:.6g}}})", row.baseline, row.ratio);
  }
  return text + "\n]\n";
}

int Report::finish() const {
  if (json_path_.empty()) return 0;
  std::ofstream file(json_path_);
  file << json();
  file.close();
  if (file) return 0;
  fmt::print(stderr, "cannot write {}\n", json_path_);
  return 1;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace bench
