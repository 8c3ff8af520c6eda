#include "transport/fork.hpp"

#include <atomic>

#include <pthread.h>

namespace cfd::transport {
namespace {

std::atomic<std::uint32_t> generation{0};

void enter_child() {
  generation.fetch_add(1, std::memory_order_relaxed);
}

const int registered = pthread_atfork(nullptr, nullptr, &enter_child);

}  // namespace

std::uint32_t fork_generation() noexcept {
  (void)registered;
  return generation.load(std::memory_order_relaxed);
}

}  // namespace cfd::transport
