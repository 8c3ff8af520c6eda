#include <fmt/format.h>

#include <cfd/error.hpp>

#include "http/server.hpp"
#include "settings/settings.hpp"
#include "worker/ready_file.hpp"
#include "worker/run_message.hpp"
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
  http::Server server(
      options, [topic = settings::find(Key::topic).value_or("")](const Event& event, std::stop_token stop) {
        return run_message(event, topic, std::move(stop));
      });
  server.start();
  log_start(fmt::format("listening on {}:{}", options.address, server.port()));
  if (!flags.ready_file.empty()) write_ready_file(flags.ready_file, std::to_string(server.port()));
  signals.wait();
  const auto asked = std::chrono::steady_clock::now();
  return {.drained = server.stop(drain_deadline(asked)), .reason = {}, .asked = asked};
}

}  // namespace cfd::worker
