#include "caller/session.hpp"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include <cfd/error.hpp>
#include <cfd/log.hpp>

#include "settings/settings.hpp"
#include "transport/fork.hpp"

namespace cfd::caller {

namespace {

using Clock = std::chrono::steady_clock;
using transport::Publisher;
using transport::PublisherConfig;

struct Session {
  const std::uint32_t process;  ///< the fork generation that it belongs to
  std::mutex mutex = {};
  std::shared_ptr<Publisher> connected = {};
  std::shared_ptr<Publisher> replacement = {};
  std::vector<std::shared_ptr<Publisher>> replacements =
      {};                                     ///< all there ever were: a call may still be in one
  std::atomic<Publisher*> current = nullptr;  ///< what publisher() gives, so that a call takes no lock for it
};

/// Never destroyed: calls may be made, and must find a clear answer, until the program's last moment. A child
/// of a fork gets a session of its own, since a thread of its parent that does not exist in it may have held
/// the lock.
Session& session() {
  static std::atomic<Session*> current = nullptr;
  Session* found = current.load(std::memory_order_acquire);
  while (found == nullptr || found->process != transport::fork_generation()) {
    auto* fresh = new Session{.process = transport::fork_generation()};
    if (current.compare_exchange_strong(found, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *found;
}

PublisherConfig::WhenFull when_full() {
  const std::string wish = settings::require(settings::Key::when_full);
  if (wish == "fail") return PublisherConfig::WhenFull::fail;
  if (wish == "drop") return PublisherConfig::WhenFull::drop;
  return PublisherConfig::WhenFull::block;
}

PublisherConfig configuration() {
  using settings::Key;
  PublisherConfig config;
  config.topic =
      fmt::format("projects/{}/topics/{}", settings::require(Key::project), settings::require(Key::topic));
  const auto local = settings::find(Key::emulator_host);
  config.insecure = local.has_value();
  config.endpoint = local ? *local : settings::require(Key::endpoint);
  config.publish_timeout = settings::duration(Key::publish_timeout);
  config.max_pending = settings::number(Key::max_pending);
  config.max_pending_bytes = settings::number(Key::max_pending_bytes);
  config.when_full = when_full();
  return config;
}

/// Runs as the program ends normally: exit handlers registered before the first call run after it, so that
/// what the program's own late destructors call is refused, and said so, rather than lost.
void close_at_exit() {
  std::shared_ptr<Publisher> connected;
  {
    const std::scoped_lock lock(session().mutex);
    connected = session().connected;
  }
  if (connected == nullptr) return;
  const auto timeout = settings::duration(settings::Key::exit_timeout);
  const std::size_t unsent = connected->close(Clock::now() + timeout);
  if (unsent != 0)
    log::error(
        "{} call(s) were not confirmed within {} ms of the program's end and may be lost; call cfd::flush "
        "before it, or raise CLOUD_FUNCTIONS_DISPATCH_EXIT_TIMEOUT",
        unsent, timeout.count());
}

std::shared_ptr<Publisher> connect() {
  const PublisherConfig config = configuration();
  const auto make = transport::backend().make_publisher;
  if (make == nullptr)
    throw ConfigError(
        "this program is linked without a transport, so it can execute calls but not make them: link the "
        "CMake target cfd::cfd");
  log::info("publishing to {} at {}, {}", config.topic, config.endpoint,
            config.insecure ? "in plain text to a local server (PUBSUB_EMULATOR_HOST)"
                            : "over TLS with Application Default Credentials");
  settings::freeze();
  std::shared_ptr<Publisher> connected = make(config);
  static std::once_flag registered;
  std::call_once(registered, [] { std::atexit(close_at_exit); });
  return connected;
}

}  // namespace

Publisher& publisher() {
  Session& mine = session();
  if (Publisher* current = mine.current.load(std::memory_order_acquire); current != nullptr) return *current;
  const std::scoped_lock lock(mine.mutex);
  if (mine.replacement != nullptr) return *mine.replacement;
  if (mine.connected == nullptr) mine.connected = connect();
  mine.current.store(mine.connected.get(), std::memory_order_release);
  return *mine.connected;
}

std::shared_ptr<Publisher> replace_publisher(std::shared_ptr<Publisher> replacement) {
  Session& mine = session();
  const std::scoped_lock lock(mine.mutex);
  if (replacement != nullptr) mine.replacements.push_back(replacement);
  std::swap(mine.replacement, replacement);
  mine.current.store(mine.replacement != nullptr ? mine.replacement.get() : mine.connected.get(),
                     std::memory_order_release);
  return replacement;
}

std::shared_ptr<Publisher> connected_publisher() {
  const std::scoped_lock lock(session().mutex);
  return session().replacement != nullptr ? session().replacement : session().connected;
}

bool flush(Clock::time_point deadline) {
  const std::shared_ptr<Publisher> current = connected_publisher();
  return current == nullptr || current->flush(deadline) == 0;
}

}  // namespace cfd::caller
