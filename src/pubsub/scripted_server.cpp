#include "pubsub/scripted_server.hpp"

#include <stdexcept>

namespace cfd::pubsub {

void ScriptedServer::start() {
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(-1);
  int bound = 0;
  builder.AddListeningPort(endpoint(), place_.credentials, &bound);
  if (place_.max_connection_age_ms != 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, place_.max_connection_age_ms);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, place_.max_connection_age_ms);
  }
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (!server_ || bound == 0) throw std::runtime_error("cannot listen on " + endpoint());
  place_.port = bound;
}

void ScriptedServer::stop() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

std::vector<std::string> ScriptedServer::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::vector<std::string> ScriptedServer::authorizations() const {
  const std::lock_guard lock(mutex_);
  return authorizations_;
}

std::vector<v1::PublishRequest> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

grpc::Status ScriptedServer::Publish(grpc::ServerContext* context, const v1::PublishRequest* request,
                                     v1::PublishResponse* response) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(*request);
    const auto authorization = context->client_metadata().find("authorization");
    if (authorization != context->client_metadata().end())
      authorizations_.emplace_back(authorization->second.data(), authorization->second.size());
  }
  if (script_) {
    grpc::Status status = script_(*request);
    if (!status.ok()) return status;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& message : request->messages()) {
    accepted_.push_back(message.data());
    response->add_message_ids("id-" + message.data());
  }
  for (std::size_t i = 0; i < ids_withheld && response->message_ids_size() > 0; ++i)
    response->mutable_message_ids()->RemoveLast();
  return grpc::Status::OK;
}

}  // namespace cfd::pubsub
