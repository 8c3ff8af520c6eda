#include "integration/deployment.hpp"

#include <csignal>

#include <unistd.h>

namespace cfd::integration {

void Deployment::SetUp() {
  if (Server::is_missing()) GTEST_SKIP() << "Google's emulator is not installed here";
  pubsub_.emplace(Server::instance().host());
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  topic_ = std::string(test->name()) + "-" + std::to_string(getpid());
  for (char& c : topic_)
    if (c == '/') c = '-';
  pubsub_->create_topic(topic_);
}

Environment Deployment::settings() const {
  return {{"GCP_PROJECT", std::string(project)},
          {"CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC", topic_},
          {"PUBSUB_EMULATOR_HOST", Server::instance().host()}};
}

Process& Deployment::start_worker(const Environment& extra, const std::string& program) {
  const bool first = workers_.empty();
  const std::string ready = directory_ / ("ready-" + std::to_string(workers_.size()));
  std::vector<std::string> command = {program, "--ready-file", ready};
  if (GetParam() == Delivery::push) {
    command.insert(command.end(), {"--port", first ? "0" : port_});
  } else {
    command.insert(command.end(), {"--pull", subscription()});
    if (first) pubsub_->create_subscription(subscription(), topic_);
  }
  Environment environment = settings();
  for (const auto& [name, value] : extra) environment[name] = value;
  Process& worker = *workers_.emplace_back(std::make_unique<Process>(command, environment));
  const std::string address = wait_for_file(ready, worker);
  if (GetParam() == Delivery::push && first) {
    port_ = address.substr(address.rfind(':') + 1);
    pubsub_->create_subscription(subscription(), topic_, "http://127.0.0.1:" + port_ + "/");
  }
  return worker;
}

int Deployment::run_caller(const std::vector<std::string>& command, const Environment& extra) {
  Environment environment = settings();
  for (const auto& [name, value] : extra) environment[name] = value;
  Process caller(command, environment);
  const int status = caller.wait();
  caller_output_ = caller.output();
  return status;
}

std::vector<Received> Deployment::unacknowledged(std::size_t wanted) {
  for (const auto& worker : workers_) {
    if (!worker->running()) continue;
    worker->signal(SIGTERM);
    worker->wait();
  }
  if (GetParam() == Delivery::push) pubsub_->stop_pushing(subscription());
  return pubsub_->pull(subscription(), wanted);
}

}  // namespace cfd::integration
