#include "integration/pubsub.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cfd/pubsub/v1/pubsub.grpc.pb.h>

namespace cfd::integration {
namespace {

namespace api = cfd::pubsub::v1;

std::string in_project(std::string_view collection, std::string_view id) {
  return "projects/" + std::string(project) + "/" + std::string(collection) + "/" + std::string(id);
}

void set_deadline(grpc::ClientContext& context, std::chrono::milliseconds timeout = patience) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

void check(const grpc::Status& status, const std::string& what) {
  if (!status.ok())
    throw std::runtime_error(what + ": " + std::to_string(status.error_code()) + " " +
                             status.error_message());
}

// Google's emulator as Debian's package google-cloud-cli-pubsub-emulator installs it.
// It cannot be asked for a port of the system's choice.
constexpr const char* google_emulator =
    "/usr/lib/google-cloud-sdk/platform/pubsub-emulator/bin/cloud-pubsub-emulator";

std::string free_port() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(socket_fd, generic, size) == 0 && getsockname(socket_fd, generic, &size) == 0;
  close(socket_fd);
  if (!bound) throw std::runtime_error("no free port");
  return std::to_string(ntohs(address.sin_port));
}

}  // namespace

struct PubSub::Stubs {
  std::unique_ptr<api::Publisher::Stub> publisher;
  std::unique_ptr<api::Subscriber::Stub> subscriber;
};

PubSub::PubSub(const std::string& host) : stubs_(std::make_unique<Stubs>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  const auto channel = grpc::CreateCustomChannel(host, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + patience))
    throw std::runtime_error("no Pub/Sub server answers at " + host);
  stubs_->publisher = api::Publisher::NewStub(channel);
  stubs_->subscriber = api::Subscriber::NewStub(channel);
}

PubSub::~PubSub() = default;

void PubSub::create_topic(const std::string& topic) {
  grpc::ClientContext context;
  set_deadline(context);
  api::Topic request;
  request.set_name(in_project("topics", topic));
  check(stubs_->publisher->CreateTopic(&context, request, &request), "CreateTopic " + topic);
}

void PubSub::create_subscription(const std::string& subscription, const std::string& topic,
                                 const std::string& endpoint, std::chrono::seconds ack_deadline) {
  grpc::ClientContext context;
  set_deadline(context);
  api::Subscription request;
  request.set_name(in_project("subscriptions", subscription));
  request.set_topic(in_project("topics", topic));
  request.set_ack_deadline_seconds(static_cast<std::int32_t>(ack_deadline.count()));
  if (!endpoint.empty()) request.mutable_push_config()->set_push_endpoint(endpoint);
  check(stubs_->subscriber->CreateSubscription(&context, request, &request),
        "CreateSubscription " + subscription);
}

void PubSub::create_signed_push(const std::string& subscription, const std::string& topic,
                                const std::string& endpoint, const std::string& account,
                                const std::string& audience) {
  grpc::ClientContext context;
  set_deadline(context);
  api::Subscription request;
  request.set_name(in_project("subscriptions", subscription));
  request.set_topic(in_project("topics", topic));
  request.mutable_push_config()->set_push_endpoint(endpoint);
  auto& token = *request.mutable_push_config()->mutable_oidc_token();
  token.set_service_account_email(account);
  token.set_audience(audience);
  check(stubs_->subscriber->CreateSubscription(&context, request, &request),
        "CreateSubscription " + subscription);
}

void PubSub::stop_pushing(const std::string& subscription) {
  grpc::ClientContext context;
  set_deadline(context);
  api::ModifyPushConfigRequest request;
  request.set_subscription(in_project("subscriptions", subscription));
  request.mutable_push_config();
  google::protobuf::Empty response;
  check(stubs_->subscriber->ModifyPushConfig(&context, request, &response),
        "ModifyPushConfig " + subscription);
}

void PubSub::create_snapshot(const std::string& snapshot, const std::string& subscription) {
  grpc::ClientContext context;
  set_deadline(context);
  api::CreateSnapshotRequest request;
  request.set_name(in_project("snapshots", snapshot));
  request.set_subscription(in_project("subscriptions", subscription));
  api::Snapshot response;
  check(stubs_->subscriber->CreateSnapshot(&context, request, &response), "CreateSnapshot " + snapshot);
}

void PubSub::seek(const std::string& subscription, const std::string& snapshot) {
  grpc::ClientContext context;
  set_deadline(context);
  api::SeekRequest request;
  request.set_subscription(in_project("subscriptions", subscription));
  request.set_snapshot(in_project("snapshots", snapshot));
  api::SeekResponse response;
  check(stubs_->subscriber->Seek(&context, request, &response), "Seek " + subscription);
}

std::string PubSub::publish(const std::string& topic, const std::string& data,
                            const std::map<std::string, std::string>& attributes) {
  grpc::ClientContext context;
  set_deadline(context);
  api::PublishRequest request;
  request.set_topic(in_project("topics", topic));
  auto& message = *request.add_messages();
  message.set_data(data);
  message.mutable_attributes()->insert(attributes.begin(), attributes.end());
  api::PublishResponse response;
  check(stubs_->publisher->Publish(&context, request, &response), "Publish to " + topic);
  return response.message_ids(0);
}

std::vector<Received> PubSub::pull_once(const std::string& subscription, std::chrono::milliseconds timeout) {
  const std::string name = in_project("subscriptions", subscription);
  api::PullRequest request;
  request.set_subscription(name);
  request.set_max_messages(1000);
  api::PullResponse response;
  grpc::ClientContext context;
  set_deadline(context, timeout);
  const grpc::Status status = stubs_->subscriber->Pull(&context, request, &response);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return {};
  check(status, "Pull " + subscription);
  std::vector<Received> received;
  api::AcknowledgeRequest acknowledge;
  acknowledge.set_subscription(name);
  for (const auto& item : response.received_messages()) {
    const auto& message = item.message();
    received.push_back({item.ack_id(),
                        message.message_id(),
                        message.data(),
                        {message.attributes().begin(), message.attributes().end()}});
    acknowledge.add_ack_ids(item.ack_id());
  }
  if (!received.empty()) {
    grpc::ClientContext acknowledge_context;
    set_deadline(acknowledge_context);
    google::protobuf::Empty nothing;
    check(stubs_->subscriber->Acknowledge(&acknowledge_context, acknowledge, &nothing),
          "Acknowledge " + subscription);
  }
  return received;
}

std::vector<Received> PubSub::pull(const std::string& subscription, std::size_t wanted) {
  std::vector<Received> all;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (all.size() < wanted && std::chrono::steady_clock::now() < deadline)
    for (Received& received : pull_once(subscription, patience)) all.push_back(std::move(received));
  return all;
}

Server& Server::instance() {
  static Server server;
  return server;
}

bool Server::is_google() {
  const char* asked = std::getenv("CFD_TEST_SERVER");
  return asked != nullptr && std::string_view(asked) == "google";
}

bool Server::is_missing() {
  return is_google() && !std::filesystem::exists(google_emulator);
}

Server::Server() {
  if (is_google()) {
    const std::string port = free_port();
    process_.emplace(std::vector<std::string>{google_emulator, "--host=127.0.0.1", "--port=" + port});
    process_->wait_for("Server started, listening on ");
    host_ = "127.0.0.1:" + port;
  } else {
    const std::string ready = directory_ / "ready";
    process_.emplace(std::vector<std::string>{CFD_COMMAND, "emulator", "--port", "0", "--ready-file", ready});
    host_ = wait_for_file(ready, *process_);
  }
}

}  // namespace cfd::integration
