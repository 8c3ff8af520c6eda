#pragma once

/// \file
/// Messages from a file, to begin with.

#include <cstddef>
#include <string>

namespace cfd::emulator {

class Broker;

/// Publishes what the file at `path` says: one JSON object a line, with a "topic" that exists and a "message"
/// in the JSON form of the API; short topic names are completed with `project`. Empty lines are passed over.
/// Returns how many were published. Throws cfd::Error, naming the line and the cause; what came before that
/// line is published.
std::size_t publish_seed(const std::string& path, const std::string& project, Broker& broker);

}  // namespace cfd::emulator
