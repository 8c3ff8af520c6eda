#pragma once

/// \file
/// What the server answers: each outcome as a status, and a response as bytes.

#include <string>
#include <string_view>

#include <cfd/event.hpp>

namespace cfd::http {

/// A response; the body is plain text, one line, and never holds what a function threw.
struct Response {
  unsigned status = 204;
  std::string_view body = {};
  std::string_view allow = {};          ///< with status 405
  std::chrono::seconds retry_after{0};  ///< above 0: sent as Retry-After
};

/// executed: 204, acknowledged. retry: 503, delivered again. reject: 422, delivered again until the
/// dead-letter policy takes it; told apart from 503 so that a dashboard can.
Response response_to(const Outcome& outcome) noexcept;

/// What a sender who may not call gets: 401, 403 or 503, and nothing else to learn from.
Response refusal(unsigned status) noexcept;

/// Appends `response` in wire format. `date` is an HTTP date. `keep_alive` is what becomes of the connection;
/// `http_1_0` whether the client must be told so.
void append(std::string& out, const Response& response, std::string_view date, bool keep_alive, bool http_1_0,
            bool head_only);

/// The time as `Date` wants it: `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace cfd::http
