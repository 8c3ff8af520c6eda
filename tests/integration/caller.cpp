// The caller of the tests: caller FUNCTION [ARGUMENT].
#define CFD_TEST_CALLER
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

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
