#include "load.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Answers are small and carry no body, so that one read takes one answer.
bool read_answer(int fd) {
  std::array<char, 1024> answer;
  const ssize_t size = read(fd, answer.data(), answer.size());
  return size > 0 &&
         std::string_view(answer.data(), static_cast<std::size_t>(size)).starts_with("HTTP/1.1 204");
}

bool send_request(int fd, const std::string& request) {
  return write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size());
}

double microseconds(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

}  // namespace

Load run_load(int port, const std::string& request, int connections, double seconds) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> sockets;
  std::vector<Clock::time_point> sent(static_cast<std::size_t>(connections));
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const int fd = connect_to(port);
    if (fd < 0) throw std::runtime_error("cannot connect");
    sockets.push_back(fd);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    sent[i] = Clock::now();
    send_request(fd, request);
  }
  const auto begin =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds / 10));
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<double> latencies;
  latencies.reserve(static_cast<std::size_t>(seconds * 100'000));
  std::array<epoll_event, 64> events;
  double requests = 0;
  for (auto now = Clock::now(); now < end;) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1000);
    if (ready == 0) throw std::runtime_error("no answer within a second");
    for (int i = 0; i < ready; ++i) {
      const std::size_t connection = events[static_cast<std::size_t>(i)].data.u64;
      if (!read_answer(sockets[connection])) throw std::runtime_error("an answer other than 204");
      now = Clock::now();
      ++requests;
      if (now >= begin) latencies.push_back(microseconds(now - sent[connection]));
      sent[connection] = now;
      if (!send_request(sockets[connection], request)) throw std::runtime_error("a request was not taken");
    }
  }
  for (const int fd : sockets) close(fd);
  close(epoll);
  if (latencies.empty()) throw std::runtime_error("no request was answered");
  std::sort(latencies.begin(), latencies.end());
  const auto quantile = [&](double q) {
    return latencies[static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1))];
  };
  return {static_cast<double>(latencies.size()) / seconds, requests, quantile(0.5), quantile(0.99)};
}

bool answers(int port, const std::string& request) {
  const int fd = connect_to(port);
  if (fd < 0) return false;
  const bool good = send_request(fd, request) && read_answer(fd);
  close(fd);
  if (!good) throw std::runtime_error("an answer other than 204");
  return true;
}

}  // namespace bench
