#pragma once

/// \file
/// A server as a process of its own, pinned to one core, so that client and server do not share one.

#include <string>
#include <vector>

#include <sys/types.h>

namespace bench {

class Child {
 public:
  /// Runs `command` on core `core`; its output goes to /dev/null. Throws std::runtime_error where that fails.
  Child(const std::vector<std::string>& command, int core);
  ~Child();  ///< ends it, by SIGTERM and then by SIGKILL
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Resident memory in MB, with that of its children: a script may have started the real server.
  double resident_mb() const;

 private:
  pid_t pid_;
};

/// Pins the calling thread, and those it starts, to a core.
void pin_to_core(int core);

/// A TCP port that nothing listens on just now.
int free_port();

/// Waits until something listens on the port of this machine. A gRPC channel that is refused waits for 100 ms
/// at least before it tries again, which would be most of what a start takes.
void wait_for_port(int port);

}  // namespace bench
