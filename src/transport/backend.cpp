#include "transport/transport.hpp"

namespace cfd::transport {
namespace {

/// Constant-initialized, so that it is there before the static initializer of the backend that sets it.
constinit Backend linked{};

}  // namespace

void set_backend(Backend backend) noexcept {
  linked = backend;
}

Backend backend() noexcept {
  return linked;
}

}  // namespace cfd::transport
