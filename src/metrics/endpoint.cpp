#include "metrics/endpoint.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "metrics/page.hpp"

namespace cfd::metrics {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{2};
constexpr std::size_t longest_request = 16U << 10U;

// Waits for `events` on `socket`; false where they do not come in time.
bool wait_for(int socket, short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd of{socket, events, 0};
  return left.count() > 0 && ::poll(&of, 1, static_cast<int>(left.count())) == 1;
}

// The request's first line, once its header is complete; empty where that does not come.
std::string read_request(int socket, Clock::time_point deadline) {
  std::string request;
  std::array<char, 2048> chunk{};
  while (request.find("\r\n\r\n") == std::string::npos) {
    if (request.size() > longest_request || !wait_for(socket, POLLIN, deadline)) return {};
    const ssize_t n = ::recv(socket, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n <= 0) return {};
    request.append(chunk.data(), static_cast<std::size_t>(n));
  }
  request.resize(request.find("\r\n"));
  return request;
}

std::string answer_to(std::string_view request) {
  const auto form = [](std::string_view status, std::string_view type, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                       status, type, body.size(), body);
  };
  if (!request.starts_with("GET ")) return form("405 Method Not Allowed", "text/plain", "GET /metrics\n");
  request.remove_prefix(4);
  const std::string_view path = request.substr(0, request.find_first_of(" ?"));
  if (path != "/metrics") return form("404 Not Found", "text/plain", "the numbers are at /metrics\n");
  return form("200 OK", "text/plain; version=0.0.4; charset=utf-8", page());
}

void write_all(int socket, std::string_view text, Clock::time_point deadline) {
  while (!text.empty() && wait_for(socket, POLLOUT, deadline)) {
    const ssize_t n = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void handle(int socket) {
  const auto deadline = Clock::now() + patience;
  if (const std::string request = read_request(socket, deadline); !request.empty())
    write_all(socket, answer_to(request), deadline);
  ::close(socket);
}

}  // namespace

Endpoint::Endpoint(std::uint16_t port) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto fail = [&](int error) {
    if (listener_ >= 0) ::close(listener_);
    throw Error(
        fmt::format("cannot serve metrics on port {}: {}", port, std::generic_category().message(error)));
  };
  if (listener_ < 0) fail(errno);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 16) != 0) fail(errno);
  if (::getsockname(listener_, any, &size) != 0) fail(errno);
  port_ = ntohs(address.sin_port);
  ending_ = ::eventfd(0, EFD_CLOEXEC);
  if (ending_ < 0) fail(errno);
  thread_ = std::thread([this] { serve(); });
}

Endpoint::~Endpoint() {
  ::eventfd_write(ending_, 1);
  thread_.join();
  ::close(listener_);
  ::close(ending_);
}

void Endpoint::serve() const {
  std::array<pollfd, 2> either{pollfd{listener_, POLLIN, 0}, pollfd{ending_, POLLIN, 0}};
  while (true) {
    if (::poll(either.data(), either.size(), -1) < 0 && errno != EINTR) return;
    if (either[1].revents != 0) return;
    if (either[0].revents == 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) {
      handle(socket);
    } else if (errno == EMFILE || errno == ENFILE) {
      ::poll(&either[1], 1, 100);  // until some descriptor is free again
    }
  }
}

}  // namespace cfd::metrics
