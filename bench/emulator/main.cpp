// Suite `emulator`: the local Pub/Sub server beside a sink that stores nothing and, where it is installed,
// Google's emulator. Servers are processes of their own on core 0; the client has core 1.
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "child.hpp"
#include "load.hpp"
#include "report.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int server_core = 0;
constexpr int client_core = 1;
constexpr int rounds = 5;
constexpr const char* google_emulator =
    "/usr/lib/google-cloud-sdk/platform/pubsub-emulator/bin/cloud-pubsub-emulator";

std::vector<std::string> cfd_command(int port) {
  return {CFD_COMMAND, "emulator", "--host", "127.0.0.1", "--port", std::to_string(port)};
}

std::string host(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

double median_of(int count, const std::function<double()>& measure) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(measure());
  return bench::median(values);
}

/// How long from exec to the first answer, and the memory after it.
std::pair<double, double> start_up(const std::function<std::vector<std::string>(int)>& command) {
  const int port = bench::free_port();
  const auto start = Clock::now();
  const bench::Child child(command(port), server_core);
  bench::wait_for_port(port);
  bench::Load load(host(port));
  const double milliseconds = load.first_answer(start).count() * 1e3;
  std::this_thread::sleep_for(std::chrono::seconds{1});  // what is measured is a server at rest
  return {milliseconds, child.resident_mb()};
}

/// Publishing side by side with the sink, in turns, so that both see the same machine.
void publish_rows(bench::Report& report) {
  const int port = bench::free_port();
  const int sink_port = bench::free_port();
  const bench::Child child(cfd_command(port), server_core);
  const bench::Child sink(
      {std::filesystem::read_symlink("/proc/self/exe"), "--sink", std::to_string(sink_port)}, server_core);
  bench::Load load(host(port));
  bench::Load sink_load(host(sink_port));
  load.first_answer(Clock::now());
  sink_load.first_answer(Clock::now());
  load.create("publish", false);
  constexpr std::size_t requests = 1000, batch = 1000, bytes = 256, in_flight = 4;
  std::vector<double> ours, ratios;
  for (int i = 0; i < rounds; ++i) {
    const double sunk = sink_load.publish("publish", requests, batch, bytes, in_flight);
    ours.push_back(load.publish("publish", requests, batch, bytes, in_flight));
    ratios.push_back(ours.back() / sunk);
  }
  report.add("publish_rps", bench::median(ours), "1/s", "sink", bench::median(ratios));
}

void consume_rows(bench::Report& report, const std::string& suffix, bench::Load& load,
                  std::size_t stream_messages, int stream_rounds, std::size_t samples) {
  int round = 0;
  report.add("stream_rps" + suffix,
             median_of(stream_rounds,
                       [&] {
                         const auto name = "stream-" + std::to_string(round++);
                         load.create(name, true);
                         load.publish(name, stream_messages / 100, 100, 256, 4);
                         return load.stream(name, stream_messages);
                       }),
             "1/s");
  load.create("delivery", true);
  report.add("delivery_p50_us" + suffix, load.delivery("delivery", samples).count(), "us");
}

/// A directory for a server's data, gone with the object.
class DataDirectory {
 public:
  DataDirectory() : path_(std::filesystem::current_path() / "bench-emulator-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  ~DataDirectory() { std::filesystem::remove_all(path_); }
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  std::vector<std::string> command(int port) const {
    auto command = cfd_command(port);
    command.insert(command.end(), {"--data-dir", path_});
    return command;
  }

 private:
  std::string path_;
};

/// What publishing and pulling cost behind a long backlog, against the same behind a short one, and the
/// memory of the server. CFD_BENCH_BACKLOG: how many messages; ten million take 3 GB of disk and two minutes.
void backlog_rows(bench::Report& report) {
  constexpr std::size_t batch = 1000, near = 100'000;
  const char* wanted = std::getenv("CFD_BENCH_BACKLOG");
  const std::size_t far = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1'000'000;
  const DataDirectory directory;
  const int port = bench::free_port();
  const bench::Child child(directory.command(port), server_core);
  bench::Load load(host(port));
  load.first_answer(Clock::now());
  load.create("backlog", true);
  const double publish_near = load.publish("backlog", near / batch, batch, 256, 8);
  const double stream_near = load.stream("backlog", near / 2);
  load.publish("backlog", far / batch, batch, 256, 8);
  const double publish_far = load.publish("backlog", near / batch, batch, 256, 8);
  report.add("backlog_rss_mb", child.resident_mb(), "MB");
  const double stream_far = load.stream("backlog", near / 2);
  report.add("backlog_publish_rps", publish_far, "1/s", "short", publish_far / publish_near);
  report.add("backlog_stream_rps", stream_far, "1/s", "short", stream_far / stream_near);
}

/// Every batch on disk before it is confirmed, with a subscription for whose sake it is kept.
void durable_row(bench::Report& report) {
  const DataDirectory directory;
  const int port = bench::free_port();
  const bench::Child child(directory.command(port), server_core);
  bench::Load load(host(port));
  load.first_answer(Clock::now());
  load.create("durable", true);
  report.add("durable_publish_rps",
             median_of(rounds, [&] { return load.publish("durable", 300, 1000, 256, 8); }), "1/s");
}

void our_rows(bench::Report& report) {
  publish_rows(report);
  durable_row(report);
  backlog_rows(report);
  const int port = bench::free_port();
  const bench::Child child(cfd_command(port), server_core);
  bench::Load load(host(port));
  load.first_answer(Clock::now());
  consume_rows(report, "", load, 500'000, rounds, 2'000);
  double memory = 0;
  report.add("start_ms",
             median_of(rounds,
                       [&] {
                         const auto [milliseconds, megabytes] = start_up(cfd_command);
                         memory = megabytes;
                         return milliseconds;
                       }),
             "ms");
  report.add("idle_rss_mb", memory, "MB");
}

void google_rows(bench::Report& report) {
  if (!std::filesystem::exists(google_emulator)) {
    fmt::print(
        "skipped: Google's emulator is not installed here (Debian package "
        "google-cloud-cli-pubsub-emulator)\n");
    return;
  }
  const int port = bench::free_port();
  const auto start = Clock::now();
  const bench::Child child({google_emulator, "--host=127.0.0.1", "--port=" + std::to_string(port)},
                           server_core);
  bench::wait_for_port(port);
  bench::Load load(host(port));
  report.add("start_ms_google", load.first_answer(start).count() * 1e3, "ms");
  std::this_thread::sleep_for(std::chrono::seconds{1});
  report.add("idle_rss_mb_google", child.resident_mb(), "MB");
  load.create("publish", false);
  report.add("publish_rps_google", median_of(3, [&] { return load.publish("publish", 200, 1000, 256, 4); }),
             "1/s");
  consume_rows(report, "_google", load, 10'000, 1, 100);
}

}  // namespace

int main(int argc, char** argv) {
  // Without this glibc gives memory back to the kernel after every batch, and client and sink measure page
  // faults.
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  if (argc == 3 && std::string_view(argv[1]) == "--sink") bench::run_sink(std::atoi(argv[2]));
  bench::Report report("emulator", argc, argv);
  bench::pin_to_core(client_core);
  try {
    our_rows(report);
    google_rows(report);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench emulator: {}\n", error.what());
    return 1;
  }
  return report.finish();
}
