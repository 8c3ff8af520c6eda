#include <memory>
#include <mutex>

#include <fmt/format.h>

#include <cfd/error.hpp>
#include <cfd/options.hpp>

#include "settings/settings.hpp"
#include "settings/validate.hpp"

namespace cfd {
namespace {

using settings::Key;

std::string to_value(const std::string& value) {
  return value;
}
std::string to_value(std::chrono::milliseconds value) {
  return settings::format_duration(value);
}
std::string to_value(std::uint64_t value) {
  return std::to_string(value);
}

std::string to_value(WhenFull value) {
  switch (value) {
    case WhenFull::block:
      return "block";
    case WhenFull::fail:
      return "fail";
    case WhenFull::drop:
      return "drop";
  }
  return "unknown";
}

template <class T>
void apply(Key key, const std::optional<T>& option) {
  if (option) settings::set(key, to_value(*option), settings::Origin::code);
}

/// Never destroyed: calls may fail until the program's last moment.
struct Hook {
  std::mutex mutex;
  std::shared_ptr<const FailedCallHook> on_failed_call;
};

Hook& hook() {
  static auto* const only = new Hook;
  return *only;
}

}  // namespace

std::shared_ptr<const FailedCallHook> settings::on_failed_call() {
  const std::scoped_lock lock(hook().mutex);
  return hook().on_failed_call;
}

void configure(const Options& options) {
  if (settings::frozen())
    throw ConfigError(
        "cfd::configure was called after the first dispatched call, when the program had already connected: "
        "call it first thing in main()");
  apply(Key::project, options.project);
  apply(Key::topic, options.topic);
  apply(Key::emulator_host, options.emulator_host);
  apply(Key::publish_timeout, options.publish_timeout);
  apply(Key::exit_timeout, options.exit_timeout);
  apply(Key::max_pending, options.max_pending);
  apply(Key::max_pending_bytes, options.max_pending_bytes);
  apply(Key::when_full, options.when_full);
  if (options.on_failed_call) {
    auto wanted = std::make_shared<const FailedCallHook>(options.on_failed_call);
    const std::scoped_lock lock(hook().mutex);
    hook().on_failed_call.swap(wanted);
  }
}

}  // namespace cfd
