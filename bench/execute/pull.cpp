#include "pull.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "child.hpp"
#include "fountain.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr std::chrono::milliseconds warm_up{300};
constexpr std::chrono::seconds duration{2};
constexpr const char* outstanding = "1000";  // as many as our worker asks for

/// Acknowledgements a second.
double measure(const std::vector<std::string>& client, const Fountain& fountain, int core) {
  const std::size_t before = fountain.acknowledged();
  const Child child(client, core);
  for (const auto start = Clock::now(); fountain.acknowledged() == before;) {
    if (Clock::now() - start > std::chrono::seconds(30))
      throw std::runtime_error("a client acknowledged nothing");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(warm_up);
  const std::size_t first = fountain.acknowledged();
  const auto start = Clock::now();
  std::this_thread::sleep_for(duration);
  const std::chrono::duration<double> took = Clock::now() - start;
  return static_cast<double>(fountain.acknowledged() - first) / took.count();
}

}  // namespace

void run_pull(Report& report, int core) {
  const Fountain fountain;
  const std::string host = fmt::format("127.0.0.1:{}", fountain.port());
  setenv("PUBSUB_EMULATOR_HOST", host.c_str(), 1);
  setenv("GCP_PROJECT", "bench", 1);
  std::vector<double> rps;
  std::vector<double> of_raw;
  std::vector<double> of_unparsed;
  for (int round = 0; round < rounds; ++round) {
    rps.push_back(
        measure({BENCH_PULL_WORKER, "--pull", "nothing", "--log-level", "warning"}, fountain, core));
    of_raw.push_back(rps.back() / measure({BENCH_RAW_PULL, host, outstanding}, fountain, core));
    of_unparsed.push_back(rps.back() /
                          measure({BENCH_RAW_PULL, host, outstanding, "unparsed"}, fountain, core));
  }
  const double median_rps = median(rps);
  report.add("pull_rps", median_rps, "1/s", "raw_streaming_pull", median(of_raw));
  report.add("pull_rps_unparsed", median_rps, "1/s", "raw_streaming_pull_unparsed", median(of_unparsed));
}

}  // namespace bench
