#include "client.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cfd/dispatch.hpp>
#include <cfd/options.hpp>

#include "caller/session.hpp"
#include "transport/transport.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

const auto take_text = cfd::dispatch("bench.take_text", [](std::string) {});
const auto my_func =
    cfd::dispatch("bench.my_func", [](int, int, std::string cheer = "hooray!") { (void)cheer; });

/// Keeps the one message that it is given.
class Capture final : public cfd::transport::Publisher {
 public:
  void publish(const cfd::transport::Outgoing& message, cfd::detail::CallStatePtr call) override {
    sample.data = message.data;
    for (const cfd::Attribute& a : message.attributes) sample.attributes.emplace_back(a.key, a.value);
    call->confirm("1");
  }
  std::size_t flush(cfd::transport::Clock::time_point) override { return 0; }
  std::size_t close(cfd::transport::Clock::time_point) override { return 0; }

  Sample sample;
};

void connect(int port) {
  cfd::Options options;
  options.project = "bench";
  options.topic = "bench";
  options.emulator_host = "127.0.0.1:" + std::to_string(port);
  cfd::configure(options);
  my_func(1, 2).wait();
}

double nanoseconds(Clock::duration d) {
  return std::chrono::duration<double, std::nano>(d).count();
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_resident_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  return 0;
}

}  // namespace

void tune_malloc() {
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
}

Sample sample_message(std::size_t payload) {
  const auto capture = std::make_shared<Capture>();
  cfd::caller::replace_publisher(capture);
  std::string text;
  // The codec puts a few bytes around the text; what is left over of `payload` is the text itself.
  take_text(text);
  text.assign(payload - capture->sample.data.size() - (payload > 255 ? 2 : 1), 'x');
  capture->sample = {};
  take_text(text);
  cfd::caller::replace_publisher(nullptr);
  return capture->sample;
}

void print_sustained(double seconds, std::size_t messages) {
  const auto count = static_cast<double>(messages);
  fmt::print("{} {} {}\n", count / seconds, processor_seconds() / count * 1e9, peak_resident_mb());
}

void print_percentiles(std::vector<double>& microseconds) {
  std::sort(microseconds.begin(), microseconds.end());
  fmt::print("{} {}\n", microseconds[microseconds.size() / 2], microseconds[microseconds.size() * 99 / 100]);
}

void run_sustained(int port, std::size_t payload, double seconds) {
  connect(port);
  const std::string text(payload - (payload > 255 ? 6 : 5), 'x');
  std::size_t calls = 0;
  const auto start = Clock::now();
  const auto end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (Clock::now() < end)
    for (int i = 0; i < 1000; ++i, ++calls) take_text(text);
  cfd::flush(std::chrono::minutes(1));
  print_sustained(std::chrono::duration<double>(Clock::now() - start).count(), calls);
}

void run_call_cost(int port, int threads) {
  connect(port);
  std::vector<std::vector<double>> costs(static_cast<std::size_t>(threads));
  std::vector<std::thread> callers;
  for (auto& mine : costs)
    callers.emplace_back([&mine] {
      for (int burst = 0; burst < 50; ++burst) {
        for (int i = 0; i < 2000; ++i) {
          const auto start = Clock::now();
          my_func(1, 2);
          mine.push_back(nanoseconds(Clock::now() - start));
        }
        cfd::flush(std::chrono::minutes(1));
      }
    });
  for (std::thread& t : callers) t.join();
  std::vector<double> all;
  for (const auto& mine : costs) all.insert(all.end(), mine.begin(), mine.end());
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  fmt::print("{}\n", all[all.size() / 2]);
}

void run_lone(int port, std::size_t samples) {
  connect(port);
  std::vector<double> times;
  for (std::size_t i = 0; i < samples; ++i) {
    const auto start = Clock::now();
    my_func(1, 2).wait();
    times.push_back(nanoseconds(Clock::now() - start) / 1e3);
  }
  print_percentiles(times);
}

}  // namespace bench
