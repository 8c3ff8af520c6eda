#pragma once

/// \file
/// What the tests dispatch: functions that succeed, fail, take their time, or call on.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <cfd/dispatch.hpp>

namespace functions {

inline const auto say = cfd::dispatch("t.say", [](std::string text) { cfd::log::info("said {}", text); });

inline const auto nothing = cfd::dispatch("t.nothing", [](int) {});

inline const auto echo = cfd::dispatch("t.echo", [](cfd::Args args, cfd::Kwargs kwargs) {
  cfd::log::info("echo called with args={}, kwargs={}", args, kwargs);
});

/// Whether this is the first run on this machine, by a file that only one run can create.
inline bool first_run(const std::string& marker) {
  const int file = open(marker.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
  return file >= 0;
}

inline const auto fail_once = cfd::dispatch("t.fail_once", [](std::string marker) {
  if (first_run(marker)) throw std::runtime_error("not today");
  cfd::log::info("this time it worked");
});

/// Hangs in the first run, so that a test can kill the worker in its midst.
inline const auto hang_once = cfd::dispatch("t.hang_once", [](std::string marker) {
  if (first_run(marker)) {
    cfd::log::info("hanging");
    std::this_thread::sleep_for(std::chrono::minutes(10));
  }
  cfd::log::info("ran to its end");
});

/// Runs until the file `gate` is there.
inline const auto wait_for_gate = cfd::dispatch("t.wait_for_gate", [](std::string gate) {
  cfd::log::info("waiting at the gate");
  while (access(gate.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  cfd::log::info("through the gate");
});

/// Runs until it is asked to stop.
inline const auto until_stopped = cfd::dispatch("t.until_stopped", [](std::stop_token stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  cfd::log::info("was asked to stop");
});

/// Adds a line "PROCESS NUMBER" to a file, at once and whole, so that it is there whatever happens to the
/// worker next.
inline const auto record = cfd::dispatch("t.record", [](std::string path, int number) {
  const std::string line = std::to_string(getpid()) + " " + std::to_string(number) + "\n";
  const int file = open(path.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  const bool written =
      file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (file >= 0) close(file);
  if (!written) throw std::runtime_error("cannot write to " + path);
});

/// Notes the call in the file that the worker's environment names, by one write that a kill cannot tear; or
/// rejects it, where it is marked as poison.
inline const auto note = cfd::dispatch("t.note", [](std::string call) {
  if (call.starts_with("poison")) throw cfd::Reject("poison");
  const char* path = std::getenv("CFD_TEST_NOTES");
  if (path == nullptr) throw cfd::Reject("no file to note calls in");
  static const int file = open(path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  call += '\n';
  if (write(file, call.data(), call.size()) != static_cast<ssize_t>(call.size()))
    throw std::runtime_error("the file takes nothing");
});

/// Dispatches from inside the cloud function.
inline const auto forward = cfd::dispatch("t.forward", [](std::string text) { say("forwarded " + text); });

/// Known to the caller and to no worker.
#ifdef CFD_TEST_CALLER
inline const auto stranger = cfd::dispatch("t.stranger", [](int) {});
#endif

}  // namespace functions
