#include "metrics/page.hpp"

#include <iterator>

#include <fmt/format.h>

#include "metrics/metrics.hpp"

namespace cfd::metrics {
namespace {

struct Row {
  const char* name;
  const char* type;
  const char* help;
  std::atomic<std::int64_t> Numbers::*number;
};

constexpr std::array rows{
    Row{"cfd_in_flight", "gauge", "Calls that are being executed.", &Numbers::in_flight},
    Row{"cfd_queue_depth", "gauge", "Calls that wait for a thread.", &Numbers::queued},
    Row{"cfd_pool_threads", "gauge", "Threads for functions.", &Numbers::threads},
    Row{"cfd_pull_outstanding_messages", "gauge", "Pulled messages that are held.", &Numbers::outstanding},
    Row{"cfd_pull_outstanding_bytes", "gauge", "Bytes of pulled messages that are held.",
        &Numbers::outstanding_bytes},
    Row{"cfd_pull_acknowledged_total", "counter", "Pulled messages that were acknowledged.",
        &Numbers::acknowledged},
    Row{"cfd_pull_given_back_total", "counter",
        "Pulled messages that were given back, to be delivered again.", &Numbers::given_back},
    Row{"cfd_pull_lease_extensions_total", "counter", "Extensions of the leases of pulled messages.",
        &Numbers::extended},
    Row{"cfd_pull_leases_lost_total", "counter", "Leases that ended while the function ran.",
        &Numbers::leases_lost},
    Row{"cfd_pull_streams_total", "counter", "Streams that were opened: the first, and each reconnect.",
        &Numbers::streams_opened},
};

// Each in the order of Verdict.
constexpr std::array<const char*, 3> outcomes{"executed", "retry", "reject"};

constexpr auto relaxed = std::memory_order_relaxed;

// Names of functions hold no character that would need escaping.
std::string_view label(const Executions& of) {
  return of.function.empty() ? "unknown" : of.function;
}

bool never_called(const Executions& of) {
  for (const auto& count : of.outcomes)
    if (count.load(relaxed) != 0) return false;
  return true;
}

void append_outcomes(std::back_insert_iterator<std::string> out) {
  fmt::format_to(out,
                 "# HELP cfd_executions_total Calls by function and what came of them.\n"
                 "# TYPE cfd_executions_total counter\n");
  for (const Executions& of : executions())
    for (std::size_t i = 0; i < outcomes.size() && !never_called(of); ++i)
      fmt::format_to(out, "cfd_executions_total{{function=\"{}\",outcome=\"{}\"}} {}\n", label(of),
                     outcomes[i], of.outcomes[i].load(relaxed));
}

void append_durations(std::back_insert_iterator<std::string> out) {
  fmt::format_to(out,
                 "# HELP cfd_execution_seconds How long executions took.\n"
                 "# TYPE cfd_execution_seconds histogram\n");
  for (const Executions& of : executions()) {
    if (never_called(of)) continue;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < duration_bounds.size(); ++i) {
      total += of.durations[i].load(relaxed);
      fmt::format_to(out, "cfd_execution_seconds_bucket{{function=\"{}\",le=\"{}\"}} {}\n", label(of),
                     duration_bounds[i], total);
    }
    total += of.durations.back().load(relaxed);
    fmt::format_to(out,
                   "cfd_execution_seconds_bucket{{function=\"{0}\",le=\"+Inf\"}} {1}\n"
                   "cfd_execution_seconds_sum{{function=\"{0}\"}} {2}\n"
                   "cfd_execution_seconds_count{{function=\"{0}\"}} {1}\n",
                   label(of), total, static_cast<double>(of.nanoseconds.load(relaxed)) / 1e9);
  }
}

}  // namespace

std::string page() {
  std::string text;
  const auto out = std::back_inserter(text);
  append_outcomes(out);
  append_durations(out);
  for (const Row& row : rows)
    fmt::format_to(out, "# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", row.name, row.type, row.help,
                   (numbers().*row.number).load(relaxed));
  return text;
}

}  // namespace cfd::metrics
