#pragma once

/// \file
/// A real program as a test sees it: started, read, signalled, and gone when the test ends.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace cfd::integration {

/// How long a test waits for what must happen: far longer than it takes, so that a loaded machine changes
/// nothing, and longer than the minute for which the messages of a pull worker that was killed stay leased.
inline constexpr std::chrono::seconds patience{150};

using Environment = std::map<std::string, std::string>;

/// Not thread-safe. Failing to start throws std::system_error; waiting in vain throws std::runtime_error with
/// all that the program has printed.
class Process {
 public:
  /// Starts `arguments` with this process's environment, without this project's own variables, and `extra` on
  /// top.
  explicit Process(const std::vector<std::string>& arguments, const Environment& extra = {});

  /// Kills the program where it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  bool running();

  /// Waits for the end. Returns the exit status, or 128 + the signal that ended it, as a shell does.
  int wait(std::chrono::milliseconds timeout = patience);

  /// Waits until what it printed, to standard output and standard error together, contains `text` at least
  /// `times`.
  void wait_for(std::string_view text, std::size_t times = 1, std::chrono::milliseconds timeout = patience);

  /// All that it has printed so far.
  std::string output() const;

 private:
  void read_output();
  [[noreturn]] void give_up(const std::string& waited_for) const;

  std::string name_;
  pid_t pid_ = -1;
  int output_fd_ = -1;
  int status_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;
  bool output_ended_ = false;
  std::thread reader_;
};

/// How often `text` occurs in `output`, without overlap.
std::size_t count(std::string_view output, std::string_view text);

/// A directory of the test's own, removed at its end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// Waits until `process` has written the file `path` (its --ready-file), and returns the file's first line.
std::string wait_for_file(const std::string& path, Process& process);

}  // namespace cfd::integration
