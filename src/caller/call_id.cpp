#include "caller/call_id.hpp"

#include <bit>
#include <cstdint>
#include <random>

#include "transport/fork.hpp"

namespace cfd::caller {

namespace {

/// xoshiro256** (Blackman and Vigna, https://prng.di.unimi.it), seeded from the system: one id costs two
/// steps, where asking the system costs a system call.
class Generator {
 public:
  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Seeds where this process, or this thread of it, has not yet.
  void ensure_seeded() {
    const std::uint32_t process = transport::fork_generation();
    if (seeded_ && process_ == process) [[likely]]
      return;
    std::random_device system;
    for (auto& word : state_) word = (std::uint64_t{system()} << 32U) | system();
    state_[0] |= 1;  // an all-zero state would stay so
    seeded_ = true;
    process_ = process;
  }

 private:
  std::array<std::uint64_t, 4> state_{};
  std::uint32_t process_ = 0;
  bool seeded_ = false;
};

}  // namespace

std::array<char, 32> make_call_id() {
  thread_local Generator generator;
  generator.ensure_seeded();
  std::array<char, 32> id;
  for (std::size_t word = 0; word < 2; ++word) {
    std::uint64_t bits = generator.next();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4U) id[16 * word + i] = "0123456789abcdef"[bits & 15U];
  }
  return id;
}

}  // namespace cfd::caller
