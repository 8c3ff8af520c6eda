#include "http/response.hpp"

#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace cfd::http {
namespace {

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace

Response response_to(const Outcome& outcome) noexcept {
  switch (outcome.verdict) {
    case Verdict::executed:
      return {};
    case Verdict::retry:
      return {.status = 503,
              .body = "not executed, to be delivered again\n",
              .retry_after = std::chrono::ceil<std::chrono::seconds>(outcome.after)};
    case Verdict::reject:
      return {.status = 422, .body = "rejected; the log says why\n"};
  }
  return {.status = 503};
}

Response refusal(unsigned status) noexcept {
  if (status == 401) return {.status = 401, .body = "unauthenticated\n"};
  if (status == 403) return {.status = 403, .body = "forbidden\n"};
  return {.status = 503, .body = "not now\n"};
}

void append(std::string& out, const Response& response, std::string_view date, bool keep_alive, bool http_1_0,
            bool head_only) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_of(response.status), date);
  // A response of status 204 must not have the field (RFC 9110, 8.6).
  if (response.status != 204) fmt::format_to(to, "Content-Length: {}\r\n", response.body.size());
  if (!response.body.empty()) out += "Content-Type: text/plain; charset=utf-8\r\n";
  if (!response.allow.empty()) fmt::format_to(to, "Allow: {}\r\n", response.allow);
  if (response.status == 401) out += "WWW-Authenticate: Bearer\r\n";
  if (response.retry_after.count() > 0)
    fmt::format_to(to, "Retry-After: {}\r\n", response.retry_after.count());
  if (!keep_alive)
    out += "Connection: close\r\n";
  else if (http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (!head_only) out += response.body;
}

std::string http_date(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace cfd::http
