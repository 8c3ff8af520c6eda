#pragma once

/// \file
/// The program's one connection to Pub/Sub: made by the first call, closed as the program ends.

#include <chrono>
#include <memory>

#include "transport/transport.hpp"

namespace cfd::caller {

/// The publisher of this program. Connects on first use, by the settings; a child of a fork connects anew.
/// Throws ConfigError where a setting is missing or malformed, or where the program links no transport.
/// Takes no lock once connected. What it refers to lives as long as the program, whoever replaces it
/// meanwhile.
transport::Publisher& publisher();

/// Puts another publisher in its place, for unit tests; null puts the real one back. Returns the former
/// replacement.
std::shared_ptr<transport::Publisher> replace_publisher(std::shared_ptr<transport::Publisher> replacement);

/// The publisher of this program, or its replacement, where there is one already; else null.
std::shared_ptr<transport::Publisher> connected_publisher();

/// Sends what is queued until `deadline`; true where all is confirmed or failed. Connects nothing.
bool flush(std::chrono::steady_clock::time_point deadline);

}  // namespace cfd::caller
