#pragma once

/// \file
/// The executing side: a whole cloud function is this one call in `main`.
///
///     #include "functions.hpp"
///     #include <cfd/execute.hpp>
///     int main(int argc, char** argv) { return cfd::execute(argc, argv); }

namespace cfd {

/// Executes the functions of this program until the process is asked to end by SIGTERM or SIGINT: takes
/// Pub/Sub's pushes over HTTP on `$PORT`, or, with `--pull SUBSCRIPTION`, pulls. `--help` tells all flags.
/// Then lets running functions end, sends what they dispatched, and returns within ten seconds (a second
/// signal ends the process at once).
///
/// Returns the exit status for `main`: 0 where it was asked to end and all work was done; 1 where it ended
/// for another reason, which the last line of the log names; 2 where it did not start, because of a flag, a
/// setting or the port. Never throws. Takes over both signals, and ignores SIGPIPE. To be called once, before
/// any thread is started.
int execute(int argc, char** argv);

}  // namespace cfd
