#include <future>
#include <thread>

#include <fmt/format.h>

#include <cfd/error.hpp>

#include "settings/settings.hpp"
#include "settings/validate.hpp"
#include "transport/transport.hpp"
#include "worker/ready_file.hpp"
#include "worker/runner.hpp"
#include "worker/worker.hpp"

namespace cfd::worker {
namespace {

using settings::Key;

// projects/P/subscriptions/S, from either that or S alone.
std::string full_name(const std::string& subscription) {
  const std::size_t slash = subscription.rfind('/');
  const std::string id = slash == std::string::npos ? subscription : subscription.substr(slash + 1);
  if (const settings::Fault fault = settings::check_resource_id(id); !fault.empty())
    throw ConfigError(fmt::format("--pull is \"{}\": a subscription {}", subscription, fault));
  if (slash == std::string::npos)
    return fmt::format("projects/{}/subscriptions/{}", settings::require(Key::project), id);
  if (!subscription.starts_with("projects/") || subscription.find("/subscriptions/") == std::string::npos)
    throw ConfigError(
        fmt::format("--pull is \"{}\": it must be a subscription's id, or its full name "
                    "projects/P/subscriptions/S",
                    subscription));
  return subscription;
}

transport::SubscriberConfig config_for(const std::string& subscription) {
  transport::SubscriberConfig config;
  config.subscription = full_name(subscription);
  const auto emulator = settings::find(Key::emulator_host);
  config.insecure = emulator.has_value();
  config.endpoint = emulator ? *emulator : settings::require(Key::endpoint);
  config.max_concurrent = settings::number(Key::threads);
  return config;
}

transport::Disposition disposition_of(const Outcome& outcome) {
  return {.ack = outcome.verdict == Verdict::executed,
          .redeliver_after = std::chrono::ceil<std::chrono::seconds>(outcome.after)};
}

// Functions that do not end keep their thread, the subscriber and what it refers to, for the rest of the
// process.
struct Pulling {
  Pulling(std::unique_ptr<transport::Subscriber> from, const std::string& id, std::stop_token ending)
      : subscriber(std::move(from)), runner(id, std::move(ending)) {}

  std::unique_ptr<transport::Subscriber> subscriber;
  Runner runner;
};

}  // namespace

End pull(const Flags& flags, Signals& signals) {
  const auto make_subscriber = transport::backend().make_subscriber;
  if (make_subscriber == nullptr)
    throw ConfigError(
        "--pull needs gRPC, which this program does not link: link the CMake target cfd::cfd "
        "instead of cfd::worker");
  const transport::SubscriberConfig config = config_for(flags.pull);
  const std::string id = config.subscription.substr(config.subscription.rfind('/') + 1);
  auto pulling = std::make_shared<Pulling>(make_subscriber(config), id, signals.stop());
  log_start(fmt::format("pulling from {} at {}{}", config.subscription, config.endpoint,
                        config.insecure ? ", in plain text" : ""));
  std::promise<std::string> ended;
  auto end = ended.get_future();
  std::thread([pulling, ended = std::move(ended), stop = signals.stop()]() mutable {
    ended.set_value(pulling->subscriber->run(
        stop, [&runner = pulling->runner](const Event& event, std::stop_token lost, transport::Lease& lease) {
          return disposition_of(runner.run(event, std::move(lost), &lease));
        }));
  }).detach();
  if (!flags.ready_file.empty()) write_ready_file(flags.ready_file, config.subscription);
  while (end.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready &&
         !signals.stop().stop_requested()) {
  }
  const auto asked = std::chrono::steady_clock::now();
  const bool drained = end.wait_until(drain_deadline(asked)) == std::future_status::ready;
  return {.drained = drained, .reason = drained ? end.get() : "", .asked = asked};
}

}  // namespace cfd::worker
