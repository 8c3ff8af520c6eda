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
      ending_(std::move(ending)),
      dead_letters_(DeadLetters::from_settings()),
      once_(once::Once::from_settings()) {
  signing::keys();  // what is wrong with them is said at the start, and not at the first call
  if (const auto timeout = settings::find(Key::function_timeout))
    timeout_ = settings::parse_duration(*timeout);
}

Outcome Runner::run(const Event& event, std::stop_token stop, transport::Lease* lease) {
  Outcome outcome = once_ ? once_->run(event, source_, [&] { return attempt(event, std::move(stop), lease); })
                          : attempt(event, std::move(stop), lease);
  if (outcome.verdict == Verdict::reject && dead_letters_)
    return dead_letters_->take(event, std::move(outcome));
  return outcome;
}

Outcome Runner::attempt(const Event& event, std::stop_token stop, transport::Lease* lease) {
  return execution::run(
      event, source_, std::move(stop),
      [this, lease](const detail::Function& function, const Event& called, const std::stop_token& token,
                    const Call& call) { return call_function(function, called, token, call, lease); });
}

Outcome Runner::call_function(const detail::Function& function, const Event& event,
                              const std::stop_token& stop, const Call& call, transport::Lease* lease) {
  const auto limit = function.timeout.count() != 0 ? function.timeout : timeout_.value_or(no_limit);
  Outcome outcome = limit == no_limit ? call(stop) : run_in_time(event, limit, stop, call, lease);
  // Stopped though the worker goes on: the message is no longer ours, and its work perhaps undone.
  const bool lost = ending_ && stop.stop_requested() && !ending_->stop_requested();
  if (lost && outcome.verdict == Verdict::executed)
    return Outcome{Verdict::retry, "its lease ended while it ran", {}};
  return outcome;
}

Outcome Runner::run_in_time(const Event& event, std::chrono::milliseconds timeout,
                            const std::stop_token& stop, const Call& call, transport::Lease* lease) {
  const Watchdog::Watch watch(watchdog_, timeout);
  std::stop_source either;
  const std::stop_callback on_stop(stop, [&either] { either.request_stop(); });
  const std::stop_callback on_timeout(watch.over(), [&] {
    log::error(
        "event {} has run for {}, its time is over: it is asked to stop, and comes again whatever it returns",
        event.id, settings::format_duration(timeout));
    if (lease != nullptr) lease->let_go();
    either.request_stop();
  });
  Outcome outcome = call(either.get_token());
  if (!watch.over().stop_requested()) return outcome;
  return {Verdict::retry, fmt::format("timed out after {}", settings::format_duration(timeout)), {}};
}

}  // namespace cfd::worker
