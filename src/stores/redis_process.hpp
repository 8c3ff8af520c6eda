#pragma once

/// \file
/// A real redis-server for tests, in a directory of its own, on a Unix socket and on a port.

#include <string>

#include <sys/types.h>

namespace cfd::stores {

/// Whether the build found a redis-server and hiredis.
bool redis_is_here();

/// Throws std::runtime_error where the server does not come up.
class RedisProcess {
 public:
  /// `password`: asked for by the server, where not empty.
  explicit RedisProcess(std::string password = {});
  ~RedisProcess();
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  const std::string& socket() const { return socket_; }
  int port() const { return port_; }

  /// Ends it, and starts it again in the same place, empty.
  void stop();
  void start();

 private:
  std::string directory_;
  std::string socket_;
  std::string password_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace cfd::stores
