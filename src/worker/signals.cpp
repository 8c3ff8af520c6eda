#include "worker/signals.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <system_error>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cfd/log.hpp>

namespace cfd::worker {
namespace {

// What the handler may touch.
std::atomic<int> event_descriptor{-1};
std::atomic<int> signals_seen{0};
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

void notify() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_descriptor, &one, sizeof one);
}

extern "C" void handle_signal(int signal) {
  const int error = errno;
  if (signals_seen.fetch_add(1) > 0) ::_exit(128 + signal);
  first_signal = signal;
  notify();
  errno = error;
}

void install(int signal) {
  struct sigaction action {};
  action.sa_handler = handle_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

void wait_for_event() {
  std::uint64_t count = 0;
  while (::read(event_descriptor, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

}  // namespace

Signals::Signals() {
  event_descriptor = ::eventfd(0, EFD_CLOEXEC);
  if (event_descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] {
    wait_for_event();
    if (first_signal != 0)
      log::info("{}: ending when what runs has ended", first_signal == SIGINT ? "SIGINT" : "SIGTERM");
    source_.request_stop();
  });
  install(SIGTERM);
  install(SIGINT);
  std::signal(SIGPIPE, SIG_IGN);
}

// The handlers stay: until the process is gone, a signal ends it at once.
Signals::~Signals() {
  notify();
  thread_.join();
}

void Signals::wait() const {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop(), [] { return false; });
}

}  // namespace cfd::worker
