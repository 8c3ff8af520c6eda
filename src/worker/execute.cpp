#include <algorithm>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include <cfd/call.hpp>
#include <cfd/error.hpp>
#include <cfd/execute.hpp>
#include <cfd/log.hpp>

#include "metrics/endpoint.hpp"
#include "metrics/metrics.hpp"
#include "registry/registry.hpp"
#include "settings/settings.hpp"
#include "worker/flags.hpp"
#include "worker/signals.hpp"
#include "worker/worker.hpp"

namespace cfd {
namespace worker {
namespace {

using Clock = std::chrono::steady_clock;
using settings::Key;

// Cloud Run kills ten seconds after SIGTERM. Functions get most of that, what they dispatched the rest.
constexpr std::chrono::milliseconds until_killed{10'000};
constexpr std::chrono::milliseconds for_flushing{1'500};

// A slow end of the program must not take its full exit_timeout once more.
constexpr std::chrono::milliseconds for_exit_handlers{500};

std::string functions() {
  std::string names;
  for (const detail::Function* function : registry::all()) {
    if (function->body.load() == nullptr) continue;
    names += names.empty() ? "" : ", ";
    names += function->name;
  }
  return names.empty() ? "none: link the files that define them" : names;
}

std::string settings_in_force() {
  std::string text;
  for (const settings::Setting& setting : settings::in_force())
    text += fmt::format("{}{}={} ({})", text.empty() ? "" : ", ", setting.variable, setting.value,
                        settings::to_string(setting.origin));
  return text;
}

int finish(const End& end) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end.asked + until_killed - Clock::now());
  const bool flushed = flush(std::max(left - for_exit_handlers, std::chrono::milliseconds(100)));
  if (!flushed) log::error("calls that functions here made are not confirmed, and may be lost");
  settings::set(Key::exit_timeout, fmt::format("{}ms", for_exit_handlers.count()), settings::Origin::flag);
  if (!end.drained) {
    log::error("functions were still running and are left behind; Pub/Sub delivers their calls again");
    // Their threads use what the ordinary way out would destroy.
    std::_Exit(1);
  }
  if (!end.reason.empty()) log::error("ended: {}", end.reason);
  return end.reason.empty() && flushed ? 0 : 1;
}

int run(const Flags& flags) {
  Signals signals;
  End end;
  std::optional<metrics::Endpoint> numbers;
  try {
    if (settings::find(Key::metrics_port)) {
      metrics::numbers().threads = static_cast<std::int64_t>(settings::number(Key::threads));
      numbers.emplace(static_cast<std::uint16_t>(settings::number(Key::metrics_port)));
      log::info("metrics at 0.0.0.0:{}/metrics", numbers->port());
    }
    end = flags.pull.empty() ? take_pushes(flags, signals) : pull(flags, signals);
  } catch (const Error& error) {
    log::error("not started: {}", error.what());
    return 2;
  }
  return finish(end);
}

}  // namespace

void log_start(const std::string& where) {
  log::info("cfd " CFD_VERSION " {}; functions: {}; settings: {}", where, functions(), settings_in_force());
}

Clock::time_point drain_deadline(Clock::time_point asked) {
  return asked + until_killed - for_flushing;
}

}  // namespace worker

int execute(int argc, char** argv) {
  try {
    const worker::Parsed parsed = worker::parse_flags(argc, argv);
    return parsed.exit_status ? *parsed.exit_status : worker::run(parsed.flags);
  } catch (const std::exception& error) {
    log::error("ended: {}", error.what());
    return 1;
  }
}

}  // namespace cfd
