#include "worker/runner.hpp"

#include <fmt/format.h>

#include <cfd/log.hpp>

#include "execution/executor.hpp"
#include "settings/settings.hpp"
#include "settings/validate.hpp"
#include "signing/keys.hpp"

namespace cfd::worker {

using settings::Key;

Runner::Runner(const std::string& subscription)
    : source_(settings::find(Key::topic).value_or(subscription)),
      dead_letters_(DeadLetters::from_settings()),
      once_(once::Once::from_settings()) {
  signing::keys();  // what is wrong with them is said at the start, and not at the first call
  if (const auto timeout = settings::find(Key::function_timeout))
    timeout_ = settings::parse_duration(*timeout);
}

Outcome Runner::run(const Event& event, std::stop_token stop) {
  Outcome outcome = once_ ? once_->run(event, source_, [&] { return attempt(event, std::move(stop)); })
                          : attempt(event, std::move(stop));
  if (outcome.verdict == Verdict::reject && dead_letters_)
    return dead_letters_->take(event, std::move(outcome));
  return outcome;
}

Outcome Runner::attempt(const Event& event, std::stop_token stop) {
  return timeout_ ? run_in_time(event, std::move(stop)) : execution::run(event, source_, std::move(stop));
}

Outcome Runner::run_in_time(const Event& event, std::stop_token stop) {
  const Watchdog::Watch watch(watchdog_, *timeout_);
  std::stop_source either;
  const std::stop_callback on_stop(stop, [&either] { either.request_stop(); });
  const std::stop_callback on_timeout(watch.over(), [&] {
    log::error(
        "event {} has run for {}, its time is over: it is asked to stop, and comes again whatever it returns",
        event.id, settings::format_duration(*timeout_));
    either.request_stop();
  });
  Outcome outcome = execution::run(event, source_, either.get_token());
  if (!watch.over().stop_requested()) return outcome;
  return {Verdict::retry, fmt::format("timed out after {}", settings::format_duration(*timeout_)), {}};
}

}  // namespace cfd::worker
