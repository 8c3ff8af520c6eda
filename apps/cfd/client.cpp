#include "client.hpp"

#include <cstdlib>
#include <utility>

namespace cfd::command {

Client::Client(std::string host) : host_(std::move(host)) {
  if (const char* named = std::getenv("PUBSUB_EMULATOR_HOST"); host_.empty() && named != nullptr)
    host_ = named;
  if (host_.empty()) {
    throw ConfigError(
        "no server named: set PUBSUB_EMULATOR_HOST or give --host (start a server with 'cfd emulator'; for "
        "Google's own "
        "service use 'gcloud pubsub')");
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  const auto channel = grpc::CreateCustomChannel(host_, grpc::InsecureChannelCredentials(), arguments);
  publisher_ = pubsub::v1::Publisher::NewStub(channel);
  subscriber_ = pubsub::v1::Subscriber::NewStub(channel);
}

void Client::check(const grpc::Status& status) const {
  if (status.ok()) return;
  // Nobody there, or a server that cannot do it now, such as one whose disk is full: the words tell.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE)
    throw Error(
        fmt::format("no Pub/Sub server at {} that can do this now: {}; is 'cfd emulator' running there?",
                    host_, status.error_message()));
  throw Error(status.error_message());
}

}  // namespace cfd::command
