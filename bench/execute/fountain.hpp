#pragma once

/// \file
/// A server of StreamingPull that never runs dry, for what pulls to be measured against: it keeps no messages
/// and no topics, and sends one prepared response again and again, as fast as its flow control lets it.

#include <cstddef>
#include <memory>

namespace bench {

class Fountain {
 public:
  /// Listens on a free port of this machine. Every message is a call of bench.nothing(1).
  Fountain();
  ~Fountain();
  Fountain(const Fountain&) = delete;
  Fountain& operator=(const Fountain&) = delete;

  int port() const noexcept;

  /// Acknowledgements so far, of all streams.
  std::size_t acknowledged() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bench
