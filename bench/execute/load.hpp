#pragma once

/// \file
/// A load generator: keep-alive connections that each send the next request as soon as the last is answered.

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Load {
  double requests_per_second;
  double requests;  ///< all of them, warming up included
  double p50_us;
  double p99_us;
};

/// Sends `request` over `connections` to 127.0.0.1:`port` for `seconds`, after a tenth of that to warm up.
/// Throws std::runtime_error where any answer has another status than 204.
Load run_load(int port, const std::string& request, int connections, double seconds);

/// Connects, sends, and waits for an answer with status 204. Returns false where nothing listens yet.
bool answers(int port, const std::string& request);

}  // namespace bench
