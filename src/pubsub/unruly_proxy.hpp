#pragma once

/// \file
/// For tests: a TCP proxy in front of a server that can be told to misbehave as networks do.

#include <atomic>
#include <list>
#include <thread>

namespace cfd::pubsub {

class UnrulyProxy {
 public:
  enum class Mood {
    pass,     ///< forwards everything
    delay,    ///< forwards late
    swallow,  ///< keeps connections open and lets nothing through
    refuse,   ///< resets connections, and new ones as they come
  };

  explicit UnrulyProxy(int server_port);
  ~UnrulyProxy();
  UnrulyProxy(const UnrulyProxy&) = delete;
  UnrulyProxy& operator=(const UnrulyProxy&) = delete;

  int port() const noexcept { return port_; }

  /// Takes effect within a few milliseconds. Leaving `swallow` resets the connections that it has hurt.
  void set(Mood mood) noexcept { mood_ = mood; }

  /// Connections reset so far.
  int resets() const noexcept { return resets_; }

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool hurt = false;
  };

  void run();
  void accept_one();
  /// Forwards what is there; false where either side has ended.
  bool forward(Link& link);
  void reset(Link& link);

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<Mood> mood_ = Mood::pass;
  std::atomic<int> resets_ = 0;
  std::atomic<bool> ending_ = false;
  std::list<Link> links_;
  std::thread thread_;
};

}  // namespace cfd::pubsub
