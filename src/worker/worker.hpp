#pragma once

/// \file
/// The two ways in which calls reach a worker.

#include <chrono>
#include <string>

#include "worker/flags.hpp"
#include "worker/signals.hpp"

namespace cfd::worker {

/// How a worker came to its end.
struct End {
  bool drained = true;  ///< whether every function had ended; otherwise threads of functions are still there
  std::string reason;   ///< why it ended without being asked to; empty where it was asked
  std::chrono::steady_clock::time_point asked;  ///< when the end began
};

/// Takes pushes until a signal. Throws Error where it cannot start.
End take_pushes(const Flags& flags, Signals& signals);

/// Pulls from flags.pull until a signal, or until the service refuses for good. Throws Error where it cannot
/// start.
End pull(const Flags& flags, Signals& signals);

/// Logs the line that says what runs here: version, where calls come from, functions, settings with their
/// origins.
void log_start(const std::string& where);

/// When a worker that was asked to end at `asked` gives up on functions that do not end.
std::chrono::steady_clock::time_point drain_deadline(std::chrono::steady_clock::time_point asked);

}  // namespace cfd::worker
