#pragma once

/// \file
/// The verbs of the cfd command. Each adds itself to the command line and runs in its callback; it throws
/// cfd::Error where it fails, with a message that says what to do.

namespace CLI {
class App;
}

namespace cfd::command {

/// `cfd emulator`: the local Pub/Sub server.
void add_emulator(CLI::App& app);

/// `cfd topic`, `cfd subscription`, `cfd publish`, `cfd pull`: what there is on a Pub/Sub server, for those
/// without gcloud.
void add_pubsub(CLI::App& app);

/// `cfd diff`: what would fail between two programs.
void add_diff(CLI::App& app);

/// `cfd completion`: the completion script of a shell.
void add_completion(CLI::App& app);

}  // namespace cfd::command
