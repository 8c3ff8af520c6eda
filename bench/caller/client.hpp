#pragma once

/// \file
/// What is measured, each as a process of its own that connects to a sink and prints its result as one line.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// The message that a call of the benchmark's function with `payload` bytes of data becomes.
struct Sample {
  std::string data;
  std::vector<std::pair<std::string, std::string>> attributes;
};
Sample sample_message(std::size_t payload);

/// Sustained calls: prints messages a second, CPU nanoseconds a message, and the peak of resident memory in
/// MB.
void run_sustained(int port, std::size_t payload, double seconds);

/// The calling thread's time for my_func(1, 2), in nanoseconds, on `threads` threads at once.
void run_call_cost(int port, int threads);

/// One call at a time, from the call to its confirmation: prints p50 and p99 in microseconds.
void run_lone(int port, std::size_t samples);

/// As run_sustained and run_lone, by a raw gRPC publisher: one request object, filled by hand and reused,
/// with `batch` messages and `in_flight` requests at once. Without attributes where `plain`.
void run_raw_sustained(int port, const Sample& sample, bool plain, double seconds);
void run_raw_lone(int port, const Sample& sample, std::size_t samples);

/// Prints what both kinds print.
void print_sustained(double seconds, std::size_t messages);
void print_percentiles(std::vector<double>& microseconds);

/// Keeps glibc from giving memory back to the kernel, only to fault it in again for the next batch.
void tune_malloc();

}  // namespace bench
