#pragma once

/// \file
/// For tests: a name server for one name, whose address can change.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace cfd::pubsub {

/// Answers every question for an IPv4 address with the one that is set, and others with none, over UDP
/// (RFC 1035).
class DnsAnswerer {
 public:
  explicit DnsAnswerer(const std::string& address);
  ~DnsAnswerer();
  DnsAnswerer(const DnsAnswerer&) = delete;
  DnsAnswerer& operator=(const DnsAnswerer&) = delete;

  int port() const noexcept { return port_; }
  void set(const std::string& address);

  /// Questions answered so far.
  int questions() const noexcept { return questions_; }

 private:
  void run();

  int socket_ = -1;
  int port_ = 0;
  std::atomic<std::uint32_t> address_;  ///< in network byte order
  std::atomic<int> questions_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace cfd::pubsub
