// Suite `execute`: a worker that takes pushes, beside a Beast server that only parses them. The servers are
// processes of their own on core 0; the load generator has core 1. The two are measured in turn, and ratios
// taken within a turn. Then the same worker by pull, see pull.hpp.
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "child.hpp"
#include "load.hpp"
#include "pull.hpp"
#include "report.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int server_core = 0;
constexpr int client_core = 1;
constexpr int rounds = 5;
constexpr int connections = 64;
constexpr double seconds = 2;

// A plain call of bench.nothing(1), with the members and the size that a push of Pub/Sub's has.
std::string request() {
  const std::string body =
      R"({"message":{"attributes":{"content_type":"application/json","function":"bench.nothing"},)"
      R"("data":"eyJmdW5jdGlvbiI6ImJlbmNoLm5vdGhpbmciLCJhcmdzIjpbMV19","messageId":"2070443601311540",)"
      R"("message_id":"2070443601311540","publishTime":"2021-02-26T19:13:55.749Z",)"
      R"("publish_time":"2021-02-26T19:13:55.749Z"},"subscription":"projects/myproject/subscriptions/mysubscription"})";
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

std::vector<std::string> worker(const std::string& program, int port) {
  return {program, "--port", std::to_string(port), "--log-level", "warning", "--queue", "1000"};
}

std::vector<std::string> beast(int port) {
  return {BENCH_BEAST, std::to_string(port)};
}

// Milliseconds from before fork to the first 204.
double wait_for_answer(int port, Clock::time_point started) {
  while (!bench::answers(port, request())) {
    if (Clock::now() - started > std::chrono::seconds(30)) throw std::runtime_error("a server did not start");
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return std::chrono::duration<double, std::milli>(Clock::now() - started).count();
}

struct Measured {
  bench::Load load;
  double start_ms;
  double resident_mb;
  double cpu_us;  // of the server, a request
};

// Processor time of the servers that have ended. Unlike requests a second, it hardly depends on what else
// runs here.
double cpu_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

Measured measure(const std::vector<std::string>& command, int port) {
  const double cpu_before = cpu_of_children();
  Measured measured{};
  {
    const auto started = Clock::now();
    const bench::Child server(command, server_core);
    measured.start_ms = wait_for_answer(port, started);
    measured.load = bench::run_load(port, request(), connections, seconds);
    measured.resident_mb = server.resident_mb();
  }
  measured.cpu_us = (cpu_of_children() - cpu_before) * 1e6 / measured.load.requests;
  return measured;
}

void run_push(bench::Report& report) {
  const std::string worker_program =
      std::filesystem::exists(BENCH_STATIC_WORKER) ? BENCH_STATIC_WORKER : BENCH_WORKER;
  std::vector<double> rps, rps_ratio, p99, p99_ratio, cpu_us, cpu_ratio, start_ms, resident_mb;
  for (int round = 0; round < rounds; ++round) {
    const int port = bench::free_port();
    const Measured ours = measure(worker(worker_program, port), port);
    const int other_port = bench::free_port();
    const Measured theirs = measure(beast(other_port), other_port);
    rps.push_back(ours.load.requests_per_second);
    rps_ratio.push_back(ours.load.requests_per_second / theirs.load.requests_per_second);
    p99.push_back(ours.load.p99_us);
    p99_ratio.push_back(theirs.load.p99_us / ours.load.p99_us);
    cpu_us.push_back(ours.cpu_us);
    cpu_ratio.push_back(theirs.cpu_us / ours.cpu_us);
    start_ms.push_back(ours.start_ms);
    resident_mb.push_back(ours.resident_mb);
  }
  report.add("push_rps", bench::median(rps), "requests/s", "beast", bench::median(rps_ratio));
  report.add("push_p99", bench::median(p99), "us", "beast", bench::median(p99_ratio));
  report.add("push_cpu_us", bench::median(cpu_us), "us", "beast", bench::median(cpu_ratio));
  report.add("cold_start_ms", bench::median(start_ms), "ms");
  report.add("worker_size_mb", static_cast<double>(std::filesystem::file_size(worker_program)) / 1e6, "MB");
  report.add("worker_rss_mb", bench::median(resident_mb), "MB");
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("execute", argc, argv);
  bench::pin_to_core(client_core);
  try {
    run_push(report);
    bench::run_pull(report, server_core);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return report.finish();
}
