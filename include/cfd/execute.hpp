#pragma once

/// \file
/// The executing side: a whole cloud function is this one call in `main`.
///
///     #include "functions.hpp"
///     #include <cfd/execute.hpp>
///     int main(int argc, char** argv) { return cfd::execute(argc, argv); }

#include <span>
#include <string>

#include <cfd/event.hpp>

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

/// Executes what one HTTP request brings, for a program that has an HTTP server of its own, or
/// functions-framework-cpp: Pub/Sub pushes with and without wrapper, CloudEvents in binary, structured and
/// batch mode, background events. Of a batch the worst outcome is returned: retry, before reject, before
/// executed. A request that is none of these is rejected, and so, where the settings ask for verified pushes,
/// is one without a good token in its `Authorization` header. The settings that bound functions' time, run
/// calls once, verify signatures and name a dead-letter topic hold here as in execute(). Answer 204 for executed, 503 for retry and 422
/// for reject to let Pub/Sub do the right thing. Thread-safe; never throws.
Outcome execute_event(std::span<const Header> headers, std::string body);

}  // namespace cfd
