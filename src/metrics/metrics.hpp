#pragma once

/// \file
/// What a worker counts. Counting is a few atomic additions, whether anybody asks for the numbers or not.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <cfd/event.hpp>

namespace cfd::detail {
struct Function;
}

namespace cfd::metrics {

/// The numbers of this process that are not a function's. A worker that pushes reach leaves those of pulling
/// at zero. Thread-safe.
struct Numbers {
  std::atomic<std::int64_t> in_flight{0};          ///< calls that are being executed
  std::atomic<std::int64_t> queued{0};             ///< calls that wait for a thread
  std::atomic<std::int64_t> threads{0};            ///< for functions
  std::atomic<std::int64_t> outstanding{0};        ///< pulled messages that are held
  std::atomic<std::int64_t> outstanding_bytes{0};  ///< and their size
  std::atomic<std::int64_t> acknowledged{0};       ///< pulled messages
  std::atomic<std::int64_t> given_back{0};         ///< pulled messages, for another delivery
  std::atomic<std::int64_t> extended{0};           ///< leases, one message once
  std::atomic<std::int64_t> leases_lost{0};        ///< of messages whose function was running
  std::atomic<std::int64_t> streams_opened{0};
};

Numbers& numbers() noexcept;

/// Upper bounds of the classes of durations, in seconds; what is above the last is counted by the total.
inline constexpr std::array<double, 14> duration_bounds{0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                        0.25,   0.5,   1,     5,    30,    60,   300};

/// The executions of one function.
struct Executions {
  std::string_view function;                             ///< empty: of no function known here
  std::array<std::atomic<std::uint64_t>, 3> outcomes{};  ///< by Verdict
  std::array<std::atomic<std::uint64_t>, duration_bounds.size() + 1> durations{};  ///< each in one class
  std::atomic<std::uint64_t> nanoseconds{0};
};

/// Of all functions of this program, and last those of no function known here.
std::span<const Executions> executions();

/// Counts one execution; `function` is null where the message names none that is known here. Thread-safe.
void record(const detail::Function* function, Verdict verdict, std::chrono::nanoseconds took);

}  // namespace cfd::metrics
