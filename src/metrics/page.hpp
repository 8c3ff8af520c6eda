#pragma once

/// \file
/// The numbers as Prometheus reads them.

#include <string>

namespace cfd::metrics {

/// Prometheus' text format, version 0.0.4. Functions that were never called have no lines. Thread-safe.
std::string page();

}  // namespace cfd::metrics
