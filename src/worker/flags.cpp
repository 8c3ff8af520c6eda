#include "worker/flags.hpp"

#include <cstdio>
#include <iostream>
#include <map>

#include <CLI/CLI.hpp>

#include <cfd/error.hpp>

#include "registry/registry.hpp"
#include "settings/settings.hpp"

namespace cfd::worker {
namespace {

using settings::Key;

std::string footer() {
  std::string text =
      "Settings, by environment variable (a flag wins over code, code over the environment):\n";
  for (const settings::Description& row : settings::describe()) {
    text += "  " + std::string(row.variable) + "\n      " + std::string(row.help);
    if (row.built_in) text += " [" + std::string(*row.built_in) + "]";
    text += '\n';
  }
  return text +
         "\n--cfd-manifest, alone on the command line, prints the functions of this program as JSON.\n"
         "\nExit status: 0 asked to end, and all work done; 1 ended otherwise, as the log says; 2 not "
         "started.";
}

}  // namespace

Parsed parse_flags(int argc, const char* const* argv) {
  registry::link_manifest_flag();  // a worker of no functions answers it, too
  Parsed parsed;
  CLI::App app(
      "Executes dispatched function calls: takes Pub/Sub pushes over HTTP, or pulls from a subscription.");
  std::map<Key, std::string> given;
  app.add_option("--port", given[Key::port], "port to listen on; 0 lets the system choose [$PORT, 8080]");
  app.add_option("--pull", parsed.flags.pull, "pull from this subscription instead of taking pushes")
      ->type_name("SUBSCRIPTION");
  app.add_option("--threads", given[Key::threads], "functions that run at once [8]");
  app.add_option("--queue", given[Key::queue], "calls that may wait for a thread [as many as threads]");
  app.add_option("--once", given[Key::once],
                 "remember executed calls, so that none runs again: memory, sqlite:PATH, redis://HOST:PORT");
  app.add_option("--push-auth-email", given[Key::push_auth_email],
                 "service account that pushes must come from; verifies their tokens");
  app.add_option("--push-auth-audience", given[Key::push_auth_audience],
                 "audience that the tokens of pushes must be for");
  app.add_option("--push-auth-keys", given[Key::push_auth_keys],
                 "URL of the keys that sign the tokens of pushes [Google's]");
  app.add_option("--function-timeout", given[Key::function_timeout],
                 "how long a function may run, such as 30s [no limit]");
  app.add_option("--metrics-port", given[Key::metrics_port],
                 "port of GET /metrics, for Prometheus; 0 lets the system choose [none]");
  app.add_option("--log-format", given[Key::log_format], "text, json or auto [auto]");
  app.add_option("--log-level", given[Key::log_level], "debug, info, warning, error or off [debug]");
  app.add_option("--ready-file", parsed.flags.ready_file, "file to write the address to, once ready")
      ->type_name("PATH");
  app.set_version_flag("--version", "cfd " CFD_VERSION);
  app.footer(footer());
  try {
    app.parse(argc, argv);
    for (const auto& [key, value] : given)
      if (!value.empty()) settings::set(key, value, settings::Origin::flag);
  } catch (const CLI::ParseError& error) {
    parsed.exit_status = app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
    return parsed;
  } catch (const ConfigError& error) {
    std::cerr << error.what() << '\n';
    parsed.exit_status = 2;
    return parsed;
  }
  return parsed;
}

}  // namespace cfd::worker
