#pragma once

/// \file
/// The command line of a worker.

#include <optional>
#include <string>

namespace cfd::worker {

/// What the command line asks for; settings that it names are set already.
struct Flags {
  std::string pull;        ///< subscription to pull from; empty: take pushes
  std::string ready_file;  ///< where to write the address once the worker is ready; may be empty
};

/// Reads the command line. Returns the exit status instead where the program is to end at once: after --help
/// or
/// --version, or because of a mistake, which is written to standard error.
struct Parsed {
  Flags flags;
  std::optional<int> exit_status;
};

Parsed parse_flags(int argc, const char* const* argv);

}  // namespace cfd::worker
