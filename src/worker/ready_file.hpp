#pragma once

/// \file
/// How scripts and tests learn that a worker is ready, and where.

#include <string>

namespace cfd::worker {

/// Writes `line` and a line break to `path` so that a reader sees all of it or no file. Throws Error naming
/// path and cause.
void write_ready_file(const std::string& path, const std::string& line);

}  // namespace cfd::worker
