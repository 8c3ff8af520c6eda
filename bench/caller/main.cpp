// Suite `caller`: from f(args...) to Pub/Sub's confirmation. The sink has core 0; each measurement is a
// process of its own on core 1, ours and the raw publisher's in turns, so that both see the same machine.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.hpp"
#include "client.hpp"
#include "report.hpp"
#include "sink.hpp"

namespace {

constexpr int sink_core = 0;
constexpr int client_core = 1;
constexpr int rounds = 5;
constexpr double round_seconds = 1.0;
constexpr std::size_t lone_samples = 3000;

std::string self() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

/// The numbers that a measurement in a process of its own prints.
std::vector<double> measure(const std::string& what, int port, std::size_t argument) {
  FILE* const pipe = popen(fmt::format("'{}' --measure {} {} {}", self(), what, port, argument).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start a process");
  std::string output;
  char buffer[256];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  if (pclose(pipe) != 0) throw std::runtime_error("measurement " + what + " failed");
  std::istringstream words(output);
  std::vector<double> numbers;
  for (double number = 0; words >> number;) numbers.push_back(number);
  if (numbers.empty()) throw std::runtime_error("measurement " + what + " printed nothing");
  return numbers;
}

/// What measure() runs.
void run_measurement(std::string_view what, int port, std::size_t argument) {
  if (what != "call_cost_unpinned") bench::pin_to_core(client_core);
  if (what == "sustained") bench::run_sustained(port, argument, round_seconds);
  if (what == "raw_sustained")
    bench::run_raw_sustained(port, bench::sample_message(argument), false, round_seconds);
  if (what == "raw_plain")
    bench::run_raw_sustained(port, bench::sample_message(argument), true, round_seconds);
  if (what == "call_cost" || what == "call_cost_unpinned")
    bench::run_call_cost(port, static_cast<int>(argument));
  if (what == "lone") bench::run_lone(port, argument);
  if (what == "raw_lone") bench::run_raw_lone(port, bench::sample_message(64), argument);
}

void sustained_rows(bench::Report& report, int port) {
  std::vector<double> memory, cpu;
  for (const std::size_t payload : {64U, 256U, 1024U}) {
    std::vector<double> ours, ratios, plain_ratios;
    for (int i = 0; i < rounds; ++i) {
      const double raw = measure("raw_sustained", port, payload)[0];
      const auto mine = measure("sustained", port, payload);
      const double plain = measure("raw_plain", port, payload)[0];
      ours.push_back(mine[0]);
      ratios.push_back(mine[0] / raw);
      plain_ratios.push_back(mine[0] / plain);
      memory.push_back(mine[2]);
      if (payload == 256) cpu.push_back(mine[1]);
    }
    report.add(fmt::format("sustained_{}", payload), bench::median(ours), "1/s", "raw_publish",
               bench::median(ratios));
    report.add(fmt::format("sustained_{}_plain", payload), bench::median(ours), "1/s",
               "raw_publish_without_attributes", bench::median(plain_ratios));
  }
  report.add("rss_mb", bench::median(memory), "MB");
  report.add("cpu_ns", bench::median(cpu), "ns");
}

void lone_rows(bench::Report& report, int port) {
  std::vector<double> p50, p99, p50_ratios, p99_ratios;
  for (int i = 0; i < rounds; ++i) {
    const auto raw = measure("raw_lone", port, lone_samples);
    const auto mine = measure("lone", port, lone_samples);
    p50.push_back(mine[0]);
    p99.push_back(mine[1]);
    p50_ratios.push_back(raw[0] / mine[0]);
    p99_ratios.push_back(raw[1] / mine[1]);
  }
  report.add("lone_p50_us", bench::median(p50), "us", "raw_unary", bench::median(p50_ratios));
  report.add("lone_p99_us", bench::median(p99), "us", "raw_unary", bench::median(p99_ratios));
}

void call_rows(bench::Report& report, int port) {
  std::vector<double> one, two;
  for (int i = 0; i < rounds; ++i) {
    one.push_back(measure("call_cost", port, 1)[0]);
    two.push_back(measure("call_cost_unpinned", port, 2)[0]);
  }
  report.add("call_ns", bench::median(one), "ns");
  report.add("call_ns_2_threads", bench::median(two), "ns");
}

}  // namespace

int main(int argc, char** argv) {
  // A line a call in the log is for people; a benchmark of calls would measure the terminal.
  setenv("CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL", "warning", 1);
  if (argc == 3 && std::string_view(argv[1]) == "--sink") {
    bench::tune_malloc();
    bench::run_light_sink(std::atoi(argv[2]));
  }
  try {
    if (argc == 5 && std::string_view(argv[1]) == "--measure") {
      run_measurement(argv[2], std::atoi(argv[3]), static_cast<std::size_t>(std::atol(argv[4])));
      return 0;
    }
    bench::Report report("caller", argc, argv);
    const int port = bench::free_port();
    const bench::Child sink({self(), "--sink", std::to_string(port)}, sink_core);
    call_rows(report, port);
    sustained_rows(report, port);
    lone_rows(report, port);
    return report.finish();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench caller: {}\n", error.what());
    return 1;
  }
}
