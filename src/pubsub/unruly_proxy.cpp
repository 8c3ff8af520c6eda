#include "pubsub/unruly_proxy.hpp"

#include <array>
#include <chrono>
#include <stdexcept>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cfd::pubsub {
namespace {

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// Moves what one socket has to the other; false at the end of either.
bool move_bytes(int from, int to) {
  std::array<char, 65536> bytes;
  const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t n = send(to, bytes.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += n;
  }
  return true;
}

}  // namespace

UnrulyProxy::UnrulyProxy(int server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = local(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0)
    throw std::runtime_error("the proxy cannot listen");
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

UnrulyProxy::~UnrulyProxy() {
  ending_ = true;
  thread_.join();
  for (Link& link : links_) reset(link);
  close(listener_);
}

void UnrulyProxy::accept_one() {
  Link link;
  link.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (link.client < 0) return;
  link.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = local(server_port_);
  if (mood_ == Mood::refuse ||
      connect(link.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    reset(link);
    return;
  }
  // A peer that stops reading must not stop the proxy for ever.
  const timeval patience{1, 0};
  setsockopt(link.client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(link.server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  links_.push_back(link);
}

void UnrulyProxy::reset(Link& link) {
  // Without lingering, closing sends RST instead of FIN.
  const linger none{1, 0};
  setsockopt(link.client, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  setsockopt(link.server, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(link.client);
  close(link.server);
  ++resets_;
}

bool UnrulyProxy::forward(Link& link) {
  std::array<pollfd, 2> ends{{{link.client, POLLIN, 0}, {link.server, POLLIN, 0}}};
  if (poll(ends.data(), ends.size(), 0) < 0) return false;
  if (ends[0].revents != 0 && !move_bytes(link.client, link.server)) return false;
  return ends[1].revents == 0 || move_bytes(link.server, link.client);
}

void UnrulyProxy::run() {
  while (!ending_) {
    const Mood mood = mood_;
    std::vector<pollfd> ends{{listener_, POLLIN, 0}};
    if (mood == Mood::pass || mood == Mood::delay)
      for (const Link& link : links_) {
        ends.push_back({link.client, POLLIN, 0});
        ends.push_back({link.server, POLLIN, 0});
      }
    poll(ends.data(), ends.size(), 2);
    if ((ends[0].revents & POLLIN) != 0) accept_one();
    if (mood == Mood::delay) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    for (auto link = links_.begin(); link != links_.end();) {
      bool keep = true;
      if (mood == Mood::swallow) {
        link->hurt = true;
      } else {
        keep = mood != Mood::refuse && !link->hurt && forward(*link);
      }
      if (!keep) reset(*link);
      link = keep ? std::next(link) : links_.erase(link);
    }
  }
}

}  // namespace cfd::pubsub
