#include "emulator/server.hpp"

#include <utility>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <cfd/error.hpp>

#include "emulator/broker.hpp"
#include "emulator/iam.hpp"
#include "emulator/oidc.hpp"
#include "emulator/push.hpp"
#include "emulator/rest.hpp"
#include "emulator/schemas.hpp"
#include "emulator/services.hpp"
#include "emulator/site.hpp"
#include "emulator/store.hpp"
#include "emulator/web_server.hpp"

namespace cfd::emulator {

namespace {

/// How long calls under way may take to end once the server stops.
constexpr std::chrono::milliseconds shutdown_grace{200};

}  // namespace

struct Server::Impl {
  explicit Impl(ServerOptions server_options) : options(std::move(server_options)) {
    broker.set_push_control(&push);
    broker.set_message_check(&schemas);
    const auto forget_policy = [this](const std::string& name) { policies.forget(name); };
    broker.set_on_removed(forget_policy);
    schemas.set_on_removed(forget_policy);
    if (options.data_directory.empty()) return;
    store = std::make_unique<Store>(options.data_directory);
    store->set_on_trouble(options.on_trouble);
    schemas.set_store(store.get());
    policies.set_store(store.get());
    broker.set_store(store.get());
    store->start();
  }

  ServerOptions options;
  SystemClock system_clock;
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock;
  Scheduler scheduler{clock};
  OidcSigner signer{clock};
  PushDispatcher push{signer};
  Schemas schemas{clock};
  std::unique_ptr<Store> store;
  Broker broker{scheduler};
  IamPolicies policies{
      [this](const std::string& name) { return broker.exists(name) || schemas.exists(name); }};
  Rest rest{broker, schemas, policies};
  Site site{broker, rest, signer, options.address};
  WebServer web{site};
  std::unique_ptr<grpc::Service> publisher = make_publisher_service(broker);
  std::unique_ptr<grpc::Service> subscriber = make_subscriber_service(broker);
  std::unique_ptr<grpc::Service> schema = make_schema_service(schemas);
  std::unique_ptr<grpc::Service> iam = make_iam_service(policies);
  std::unique_ptr<grpc::Server> grpc_server;
  int port = 0;
};

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() {
  stop();
}

void Server::start() {
  auto& impl = *impl_;
  const auto address = fmt::format("{}:{}", impl.options.address, impl.options.port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &impl.port);
  // A second server on a port in use must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Messages have up to 10 MB; the limits of the protocol are checked where they are known.
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  // Clients ping idle streams; a server that takes this for abuse would close their connections.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  for (const auto& service : {&impl.publisher, &impl.subscriber, &impl.schema, &impl.iam}) {
    builder.RegisterService(service->get());
  }
  impl.grpc_server = builder.BuildAndStart();
  if (impl.grpc_server == nullptr || impl.port == 0) {
    impl.grpc_server.reset();
    throw Error(
        fmt::format("the Pub/Sub server cannot listen on {}: the address is not of this machine, or the port "
                    "is in use; choose "
                    "another, or port 0 for any free one",
                    address));
  }
  if (impl.options.http_port) impl.web.start(impl.options.address, *impl.options.http_port);
  if (!is_manual()) impl.scheduler.start();
  impl.push.start();
}

bool Server::is_manual() const noexcept {
  return impl_->options.clock != nullptr;
}

std::uint16_t Server::port() const noexcept {
  return static_cast<std::uint16_t>(impl_->port);
}

std::uint16_t Server::http_port() const noexcept {
  return impl_->web.port();
}

std::string Server::host() const {
  const bool any = impl_->options.address == "0.0.0.0" || impl_->options.address == "[::]";
  return fmt::format("{}:{}", any ? "localhost" : impl_->options.address, impl_->port);
}

void Server::stop() {
  auto& impl = *impl_;
  impl.broker.faults().clear();  // A call that is held would never end.
  // The store goes last, because calls under way end when it has written what they did.
  impl.push.stop();
  impl.web.stop();
  if (impl.grpc_server != nullptr) {
    impl.grpc_server->Shutdown(std::chrono::system_clock::now() + shutdown_grace);
    impl.grpc_server->Wait();
    impl.grpc_server.reset();
  }
  impl.scheduler.stop();
  if (impl.store != nullptr) impl.store->stop();
}

Broker& Server::broker() noexcept {
  return impl_->broker;
}

}  // namespace cfd::emulator
