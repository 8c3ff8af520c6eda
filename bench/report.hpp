#pragma once

/// \file
/// The rows of one benchmark suite: printed as a table, and written as JSON where asked for.

#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// Collects rows of a suite and reports them. Not thread-safe.
class Report {
 public:
  /// Reads `--json FILE` (and `--help`) from the command line and takes them out of it; other arguments are
  /// left to the suite. Ends the program with status 2 where FILE is missing.
  Report(std::string suite, int& argc, char** argv);

  /// A median. `ratio` is taken against `baseline` in the same run, so that above 1 means better than it.
  void add(std::string row, double value, std::string unit, std::string baseline, double ratio);

  /// A median that nothing stands beside.
  void add(std::string row, double value, std::string unit) {
    add(std::move(row), value, std::move(unit), {}, 0);
  }

  /// Prints the table, writes the file. Returns the exit status.
  int finish() const;

 private:
  struct Row {
    std::string name;
    double value;
    std::string unit;
    std::string baseline;
    double ratio;
  };

  std::string json() const;

  std::string suite_;
  std::string json_path_;
  std::vector<Row> rows_;
};

/// The median; `values` is reordered.
double median(std::vector<double>& values);

}  // namespace bench
