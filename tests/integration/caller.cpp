// The caller of the tests: caller FUNCTION [ARGUMENT].
#define CFD_TEST_CALLER
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <cfd/call.hpp>
#include <cfd/map.hpp>
#include <cfd/options.hpp>

#include "integration/functions.hpp"

namespace {

void call_many(const std::string& times) {
  for (int i = 0; i < std::stoi(times); ++i) functions::say("number " + std::to_string(i));
}

/// The argument is how many, a space, and the file.
void record_many(const std::string& argument) {
  const std::size_t space = argument.find(' ');
  for (int i = 0; i < std::stoi(argument); ++i) functions::record(argument.substr(space + 1), i);
}

/// `range` is FIRST-END. Every tenth is poison.
void call_notes(const std::string& range) {
  for (int i = std::stoi(range); i < std::stoi(range.substr(range.find('-') + 1)); ++i)
    functions::note((i % 10 == 7 ? "poison #" : "call #") + std::to_string(i) + ";");
}

void call_and_exit(const std::string& text) {
  functions::say(text);
  std::exit(
      0);  // NOLINT(concurrency-mt-unsafe): that an exit from anywhere sends what is queued is what is tested
}

/// The most that this process has had resident, in MB.
long peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void map_many(const std::string& times) {
  cfd::MapOptions options;
  options.window = 2000;
  long early = 0;
  options.progress = [&](const cfd::MapResult& so_far) {
    if (so_far.calls <= 30'000) early = peak_mb();
  };
  std::vector<int> arguments(std::stoul(times));
  std::iota(arguments.begin(), arguments.end(), 0);
  const cfd::MapResult result = cfd::map(options, functions::nothing, arguments);
  std::printf("%llu calls, %llu confirmed, %llu failed; %ld MB, grew by %ld MB\n",
              static_cast<unsigned long long>(result.calls),
              static_cast<unsigned long long>(result.confirmed),
              static_cast<unsigned long long>(result.failed), peak_mb(), peak_mb() - early);
}

std::string outcome(const cfd::Call& call) {
  try {
    call.wait();
    return "OK";
  } catch (const cfd::PublishError& error) {
    return error.code();
  }
}

/// Goes on with a key that has failed once the file `gate` is there.
void resume_key(const std::string& gate) {
  const auto say = [](const char* which) {
    const cfd::Call call = functions::say.with({.ordering_key = "key"})(which);
    std::printf("%s: %s\n", which, outcome(call).c_str());
    std::fflush(stdout);
  };
  say("first");
  say("second");
  while (access(gate.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  cfd::resume("key");
  say("third");
}

void exit_in_hook(const std::string& text) {
  cfd::configure({.on_failed_call = [](const cfd::FailedCall& call) {
    std::printf("hook: %s %s\n", std::string(call.function).c_str(), std::string(call.code).c_str());
    std::exit(7);  // NOLINT(concurrency-mt-unsafe): that it may is what is tested
  }});
  functions::say(text);
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

const std::map<std::string, std::function<void(const std::string&)>> calls = {
    {"say", [](const std::string& text) { functions::say(text); }},
    {"echo", [](const std::string& x) { functions::echo(1, "a", cfd::arg("x") = std::stoi(x)); }},
    {"fail_once", [](const std::string& marker) { functions::fail_once(marker); }},
    {"hang_once", [](const std::string& marker) { functions::hang_once(marker); }},
    {"wait_for_gate", [](const std::string& gate) { functions::wait_for_gate(gate); }},
    {"forward", [](const std::string& text) { functions::forward(text); }},
    {"stranger", [](const std::string& number) { functions::stranger(std::stoi(number)); }},
    {"many", call_many},
    {"record_many", record_many},
    {"notes", call_notes},
    {"exit", call_and_exit},
    {"map", map_many},
    {"resume", resume_key},
    {"exit_in_hook", exit_in_hook},
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3 || !calls.contains(argv[1])) return 64;
  calls.at(argv[1])(argv[2]);
  return 0;
} catch (const cfd::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
