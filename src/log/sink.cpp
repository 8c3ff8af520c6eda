#include "log/sink.hpp"

#include <cerrno>
#include <mutex>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

namespace cfd::log {
namespace {

// How long a non-blocking descriptor may take nothing, in the middle of a line or before it.
constexpr int patience_ms = 100;

// Held around write(2) alone: lines above PIPE_BUF could otherwise be mixed where a pipe is full. A child of
// fork() must not inherit it locked by a thread that it does not have. Never destroyed: destructors of static
// objects log.
std::mutex& write_mutex() {
  static auto& mutex = []() -> std::mutex& {
    auto& made = *new std::mutex;
    ::pthread_atfork([] { write_mutex().lock(); }, [] { write_mutex().unlock(); },
                     [] { write_mutex().unlock(); });
    return made;
  }();
  return mutex;
}

bool wait_for_room(int descriptor) {
  pollfd waiting{descriptor, POLLOUT, 0};
  return ::poll(&waiting, 1, patience_ms) > 0;
}

}  // namespace

void write_line(int descriptor, std::string_view line) noexcept {
  const std::lock_guard lock(write_mutex());
  while (!line.empty()) {
    const ssize_t written = ::write(descriptor, line.data(), line.size());
    if (written >= 0)
      line.remove_prefix(static_cast<std::size_t>(written));
    else if ((errno == EAGAIN || errno == EWOULDBLOCK) && wait_for_room(descriptor))
      continue;
    else if (errno != EINTR)
      return;
  }
}

}  // namespace cfd::log
