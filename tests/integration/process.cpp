#include "integration/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX asks programs to declare it

namespace cfd::integration {
namespace {

using Clock = std::chrono::steady_clock;

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

// What would change how a program under test behaves, and so must come from the test alone.
bool is_ours(std::string_view name) {
  return name.starts_with("CLOUD_FUNCTIONS_DISPATCH_") || name.starts_with("CLOUD_RUN_") ||
         name.starts_with("K_") || name == "GCP_PROJECT" || name == "PUBSUB_EMULATOR_HOST" || name == "PORT";
}

std::vector<std::string> environment_with(const Environment& extra) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (!is_ours(name) && !extra.contains(name)) entries.emplace_back(text);
  }
  for (const auto& [name, value] : extra) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const Environment& extra)
    : name_(arguments.at(0)) {
  std::vector<std::string> argument_strings = arguments;
  std::vector<std::string> environment_strings = environment_with(extra);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) check(errno, "pipe2");
  posix_spawn_file_actions_t actions;
  check(posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  const int error = posix_spawn(&pid_, name_.c_str(), &actions, nullptr, pointers(argument_strings).data(),
                                pointers(environment_strings).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  output_fd_ = ends[0];
  if (error != 0) close(output_fd_);
  check(error, name_.c_str());
  reader_ = std::thread([this] { read_output(); });
}

Process::~Process() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
  }
  reader_.join();
  close(output_fd_);
}

void Process::signal(int number) const {
  if (kill(pid_, number) != 0) check(errno, "kill");
}

bool Process::running() {
  return status_ == -1 && waitpid(pid_, &status_, WNOHANG) != pid_;
}

int Process::wait(std::chrono::milliseconds timeout) {
  // The output's end is the program's end, near enough to then wait for the latter; a program may also close
  // its output, or leave it to a child, and go on, which is why the wait below is bounded too.
  const auto deadline = Clock::now() + timeout;
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return output_ended_; });
  lock.unlock();
  while (running()) {
    if (Clock::now() > deadline) give_up("its end");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

void Process::wait_for(std::string_view text, std::size_t times, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto there = [&] { return count(output_, text) >= times; };
  changed_.wait_for(lock, timeout, [&] { return there() || output_ended_; });
  if (there()) return;
  lock.unlock();
  give_up("\"" + std::string(text) + "\", " + std::to_string(times) + " times");
}

std::string Process::output() const {
  const std::scoped_lock lock(mutex_);
  return output_;
}

void Process::read_output() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = read(output_fd_, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    const std::scoped_lock lock(mutex_);
    if (size > 0)
      output_.append(buffer.data(), static_cast<std::size_t>(size));
    else
      output_ended_ = true;
    changed_.notify_all();
    if (size <= 0) return;
  }
}

void Process::give_up(const std::string& waited_for) const {
  throw std::runtime_error("waited in vain for " + waited_for + " of " + name_ + ", which printed:\n" +
                           output());
}

std::size_t count(std::string_view output, std::string_view text) {
  std::size_t times = 0;
  for (auto at = output.find(text); at != std::string_view::npos; at = output.find(text, at + text.size()))
    ++times;
  return times;
}

TemporaryDirectory::TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "cfd-test-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) check(errno, "mkdtemp");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string wait_for_file(const std::string& path, Process& process) {
  const auto deadline = Clock::now() + patience;
  while (Clock::now() < deadline) {
    std::ifstream file(path);
    std::string line;
    if (file && std::getline(file, line)) return line;
    if (!process.running()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw std::runtime_error("waited in vain for " + path + " of a program that printed:\n" + process.output());
}

}  // namespace cfd::integration
