#pragma once

/// \file
/// An HTTP/1.1 client for one endpoint: many requests at once, connections kept and used again.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace cfd::emulator {

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string target;  ///< path and query, at least "/"
};

/// Empty where `text` is not http://HOST[:PORT][/PATH] or the same with https.
std::optional<Url> parse_url(std::string_view text);

struct HttpRequest {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// What came of a request: the answer's status, or what went wrong instead.
struct HttpResult {
  int status = 0;  ///< 0: no answer
  std::string error;
};

/// Belongs to the thread of its io_context.
class HttpClient {
 public:
  HttpClient(boost::asio::io_context& context, Url url);
  ~HttpClient();  ///< closes its connections; handlers not yet called are dropped
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Posts; `done` is called later, once. A connection that was found closed is replaced by a new one, once.
  void post(HttpRequest request, std::chrono::nanoseconds timeout, std::function<void(HttpResult)> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cfd::emulator
