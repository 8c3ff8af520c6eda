#include "worker/runner.hpp"

#include <fmt/format.h>

#include <cfd/detail/function.hpp>
#include <cfd/log.hpp>

#include "settings/settings.hpp"
#include "settings/validate.hpp"
#include "signing/keys.hpp"

namespace cfd::worker {

using settings::Key;

namespace {

constexpr std::chrono::milliseconds no_limit{0};

}  // namespace

Runner::Runner(const std::string& subscription, std::optional<std::stop_token> ending)
    : source_(settings::find(Key::topic).value_or(subscription)),
      dead_letters_(DeadLetters::from_settings()),
      once_(once::Once::from_settings()) {
  signing::keys();  // what is wrong with them is said at the start, and not at the first call
  if (const auto timeout = settings::find(Key::function_timeout))
    timeout_ = settings::parse_duration(*timeout);
  around_ = [this, ending = std::move(ending)](const detail::Function& function, const Event& event,
                                               std::stop_token token,
                                               const std::function<Outcome(std::stop_token)>& call) {
    const auto limit = function.timeout.count() != 0 ? function.timeout : timeout_.value_or(no_limit);
    Outcome outcome = limit == no_limit ? call(token) : run_in_time(event, limit, token, call);
    // Stopped though the worker goes on: the message is no longer ours, and its work perhaps undone.
    const bool lost = ending && token.stop_requested() && !ending->stop_requested();
    if (lost && outcome.verdict == Verdict::executed)
      return Outcome{Verdict::retry, "its lease ended while it ran", {}};
    return outcome;
  };
}

Outcome Runner::run(const Event& event, std::stop_token stop) {
  Outcome outcome = once_ ? once_->run(event, source_, [&] { return attempt(event, std::move(stop)); })
                          : attempt(event, std::move(stop));
  if (outcome.verdict == Verdict::reject && dead_letters_)
    return dead_letters_->take(event, std::move(outcome));
  return outcome;
}

Outcome Runner::attempt(const Event& event, std::stop_token stop) {
  return execution::run(event, source_, std::move(stop), around_);
}

Outcome Runner::run_in_time(const Event& event, std::chrono::milliseconds timeout, std::stop_token stop,
                            const std::function<Outcome(std::stop_token)>& call) {
  const Watchdog::Watch watch(watchdog_, timeout);
  std::stop_source either;
  const std::stop_callback on_stop(stop, [&either] { either.request_stop(); });
  const std::stop_callback on_timeout(watch.over(), [&] {
    log::error(
        "event {} has run for {}, its time is over: it is asked to stop, and comes again whatever it returns",
        event.id, settings::format_duration(timeout));
    either.request_stop();
  });
  Outcome outcome = call(either.get_token());
  if (!watch.over().stop_requested()) return outcome;
  return {Verdict::retry, fmt::format("timed out after {}", settings::format_duration(timeout)), {}};
}

}  // namespace cfd::worker
