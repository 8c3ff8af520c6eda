#pragma once

#include "report.hpp"

namespace bench {

/// Row `pull_rps`: a worker that pulls and executes a function that does nothing, beside a raw client of
/// StreamingPull that parses the messages and acknowledges them; on core `core`, in turns. The server, which
/// keeps nothing, is this process. Row `pull_rps_unparsed`: beside one that does not even parse them.
void run_pull(Report& report, int core);

}  // namespace bench
