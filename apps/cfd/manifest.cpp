#include "manifest.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/error.hpp>

// NOLINTNEXTLINE(readability-redundant-declaration): POSIX leaves it to the program to declare
extern char** environ;

namespace cfd::command {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest = std::size_t{64} << 20U;
constexpr std::chrono::seconds longest{
    10};  // a program that does not know the flag may go on as if nothing was asked

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char first = 0;
  return file >> first && first == '{';
}

/// Reads until the end, the limit or the deadline. Returns false at one of the latter two.
bool read_all(int descriptor, Clock::time_point deadline, std::string& text) {
  std::array<char, 65'536> buffer{};
  while (text.size() <= largest) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd wait{descriptor, POLLIN, 0};
    if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t got = read(descriptor, buffer.data(), buffer.size());
    if (got <= 0) return got == 0;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return false;
}

std::string run(const std::string& path) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw Error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string program = path;
  std::string flag = "--cfd-manifest";
  std::array<char*, 3> arguments{program.data(), flag.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, path.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    throw Error(fmt::format("{} cannot be run: {}", path, std::strerror(error)));
  }
  std::string text;
  const bool ended = read_all(ends[0], Clock::now() + longest, text);
  close(ends[0]);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  if (!ended || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || !text.starts_with('{'))
    throw Error(fmt::format(
        "{} printed no manifest: it must be a program that defines dispatchables, and links this library",
        path));
  return text;
}

}  // namespace

std::string load_manifest(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  if (is_json(path)) return read_file(path);
  // Without a slash a name would be looked up along PATH by some; here it is always a file.
  return run(path.find('/') == std::string::npos ? "./" + path : path);
}

}  // namespace cfd::command
