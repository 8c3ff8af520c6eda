#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/color.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "commands.hpp"
#include "emulator/broker.hpp"
#include "emulator/declaration.hpp"
#include "emulator/seed.hpp"
#include "emulator/server.hpp"
#include "resource_names.hpp"

namespace cfd::command {

namespace {

namespace v1 = pubsub::v1;

struct Options {
  emulator::ServerOptions server{.address = "localhost", .port = 8085};
  std::string project;
  std::vector<std::string> topics;
  std::vector<std::string> subscriptions;
  std::string ready_file;
  std::string config;
  std::string seed;
};

void require(const emulator::Status& status) {
  if (!status.ok()) throw Error(status.message);
}

void create_topic(emulator::Broker& broker, const std::string& name) {
  v1::Topic topic;
  topic.set_name(name);
  require(broker.create_topic(topic, topic));
}

/// SUBSCRIPTION=TOPIC[,push=URL]; a topic that is not there yet is made.
void create_subscription(emulator::Broker& broker, const std::string& project, const std::string& text) {
  const auto equals = text.find('=');
  const auto comma = text.find(',', equals == std::string::npos ? 0 : equals);
  const std::string push = comma == std::string::npos ? "" : text.substr(comma + 1);
  if (equals == 0 || equals == std::string::npos || (!push.empty() && !push.starts_with("push="))) {
    throw Error(
        fmt::format("--subscription {}: expected SUBSCRIPTION=TOPIC or SUBSCRIPTION=TOPIC,push=URL", text));
  }
  v1::Subscription subscription;
  subscription.set_name(full_name(project, "subscriptions", text.substr(0, equals)));
  subscription.set_topic(full_name(project, "topics", text.substr(equals + 1, comma - equals - 1)));
  if (!push.empty()) subscription.mutable_push_config()->set_push_endpoint(push.substr(5));
  if (!broker.exists(subscription.topic())) create_topic(broker, subscription.topic());
  if (!broker.exists(subscription.name())) require(broker.create_subscription(subscription, subscription));
}

/// Appears whole or not at all: whoever waits for the file reads a complete address.
void write_ready_file(const std::string& path, const std::string& host) {
  const std::string unfinished = path + ".part";
  std::ofstream file(unfinished);
  file << host << '\n';
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(unfinished, path, error);
  if (!file || error) throw Error(fmt::format("--ready-file {}: cannot be written", path));
}

void announce(const std::string& host, std::uint16_t http_port) {
  const bool colours = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  const auto command = fmt::format("export PUBSUB_EMULATOR_HOST={}", host);
  fmt::print("Pub/Sub server ready on {}; point programs at it with: {}\n", host,
             colours ? fmt::format(fmt::emphasis::bold, "{}", command) : command);
  if (http_port != 0)
    fmt::print("REST and the page: http://{}:{}/\n", host.substr(0, host.rfind(':')), http_port);
  std::fflush(stdout);
}

/// glibc gives memory back to the kernel as soon as a batch is freed, and faults it in again for the next.
/// Publishing a megabyte a request, that costs more than everything else.
void keep_freed_memory() {
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
}

void say_trouble(const std::string& reason) {
  if (reason.empty())
    fmt::print(stderr, "cfd: the data directory takes what is published again\n");
  else
    fmt::print(
        stderr,
        "cfd: {}: until that is mended, what is published or acknowledged is refused with UNAVAILABLE, and "
        "clients try again\n",
        reason);
  std::fflush(stderr);
}

void run(Options options) {
  keep_freed_memory();
  // Before any thread starts, so that all inherit the mask and the signal comes to sigwait alone.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  options.server.on_trouble = say_trouble;
  emulator::Server server(options.server);
  const auto project = project_or_default(options.project);
  for (const auto& topic : options.topics) {
    const auto name = full_name(project, "topics", topic);
    if (!server.broker().exists(name))
      create_topic(server.broker(), name);  // It may be kept from the last run.
  }
  for (const auto& subscription : options.subscriptions)
    create_subscription(server.broker(), project, subscription);
  std::optional<emulator::DeclarationFile> declared;
  if (!options.config.empty()) {
    declared.emplace(options.config, project, server.broker(), [&](const std::string& error) {
      if (error.empty())
        fmt::print("applied {} again\n", options.config);
      else
        fmt::print(stderr, "cfd: {}\n", error);
      std::fflush(stdout);
    });
  }
  if (!options.seed.empty()) emulator::publish_seed(options.seed, project, server.broker());
  server.start();
  announce(server.host(), server.http_port());
  if (!options.ready_file.empty()) write_ready_file(options.ready_file, server.host());
  int signal = 0;
  sigwait(&signals, &signal);
  server.stop();
}

}  // namespace

void add_emulator(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("emulator", "Run a local Pub/Sub server, for development and tests");
  command->add_option("--host", options->server.address, "Address to listen on; 0.0.0.0 for all")
      ->capture_default_str();
  command->add_option("--port", options->server.port, "Port to listen on; 0 for any free one")
      ->capture_default_str();
  command->add_option("--project", options->project,
                      "Project of names given short (default: $GCP_PROJECT or my-project)");
  command->add_option("--topic", options->topics, "Create a topic; may be repeated")->allow_extra_args(false);
  command
      ->add_option(
          "--subscription", options->subscriptions,
          "Create a subscription, SUBSCRIPTION=TOPIC or SUBSCRIPTION=TOPIC,push=URL; may be repeated")
      ->allow_extra_args(false);
  command->add_option(
      "--http-port", options->server.http_port,
      "Also serve the page, the REST interface and the keys of push tokens (JWKS) on this port; 0 for any");
  command
      ->add_option(
          "--config", options->config,
          "YAML file of topics and subscriptions, by the API's field names; applied again when it changes")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--seed", options->seed,
                   "File of messages to publish at the start, one JSON object a line: "
                   R"({"topic": "t", "message": {"data": "aGk="}}, a message as in the API's JSON form)")
      ->check(CLI::ExistingFile);
  command->add_option(
      "--data-dir", options->server.data_directory,
      "Keep topics, subscriptions and messages in this directory, through restarts and crashes");
  command->add_option("--ready-file", options->ready_file,
                      "Write host:port to this file once the server is ready");
  command->footer(
      "Every Google client finds the server by its environment variable:\n"
      "  export PUBSUB_EMULATOR_HOST=localhost:8085\n"
      "Example: a topic whose messages are pushed to a function on port 8080\n"
      "  cfd emulator --subscription my-subscription=my-topic,push=http://localhost:8080/");
  command->callback([options] { run(*options); });
}

}  // namespace cfd::command
