#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "commands.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Cloud Functions Dispatch: call a C++ function here, run it in a cloud function.", "cfd"};
  app.set_version_flag("--version", "cfd " CFD_VERSION);
  app.require_subcommand(1);
  app.fallthrough(false);
  app.footer(
      "Try it without a cloud account:\n"
      "  cfd emulator --topic my-topic --subscription my-subscription=my-topic &\n"
      "  export PUBSUB_EMULATOR_HOST=localhost:8085\n"
      "  cfd publish my-topic --data hello\n"
      "  cfd pull my-subscription");
  cfd::command::add_emulator(app);
  cfd::command::add_pubsub(app);
  cfd::command::add_diff(app);
  cfd::command::add_completion(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cfd: %s\n", error.what());
    return 1;
  }
  return 0;
}
