#include <fmt/format.h>

#include <cfd/error.hpp>

#include "http/server.hpp"
#include "settings/settings.hpp"
#include "worker/ready_file.hpp"
#include "worker/runner.hpp"
#include "worker/worker.hpp"

namespace cfd::worker {
namespace {

using settings::Key;

}  // namespace

End take_pushes(const Flags& flags, Signals& signals) {
  http::ServerOptions options;
  options.port = static_cast<std::uint16_t>(settings::number(Key::port));
  options.threads = settings::number(Key::threads);
  options.queue = settings::number(Key::queue);
  options.authenticator = http::authenticator_from_settings();
  // Shared with the handler: a function that does not end in time keeps it.
  const auto runner = std::make_shared<Runner>();
  http::Server server(options, [runner](const Event& event, std::stop_token stop) {
    return runner->run(event, std::move(stop));
  });
  server.start();
  log_start(fmt::format("listening on {}:{}", options.address, server.port()));
  if (!flags.ready_file.empty()) write_ready_file(flags.ready_file, std::to_string(server.port()));
  signals.wait();
  const auto asked = std::chrono::steady_clock::now();
  return {.drained = server.stop(drain_deadline(asked)), .reason = {}, .asked = asked};
}

}  // namespace cfd::worker
