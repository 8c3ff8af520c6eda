#pragma once

/// \file
/// For tests: a real gRPC server on a port of its own whose answers the test writes.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"

namespace cfd::pubsub {

/// Takes Publish requests. The id of a message is "id-" and its data, so that a test sees which call an id
/// belongs to.
class ScriptedServer final : public v1::Publisher::Service {
 public:
  /// Decides about a request; may block. Called on many threads at once.
  using Script = std::function<grpc::Status(const v1::PublishRequest&)>;

  /// Where and how it listens.
  struct Place {
    std::string host = "localhost";
    int port = 0;
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    int max_connection_age_ms = 0;  ///< then GOAWAY; 0: never
  };

  explicit ScriptedServer(Script script = {}) : ScriptedServer(std::move(script), Place()) {}
  ScriptedServer(Script script, Place place) : script_(std::move(script)), place_(std::move(place)) {
    start();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() override { stop(); }

  std::string endpoint() const { return place_.host + ":" + std::to_string(place_.port); }
  int port() const { return place_.port; }

  /// The `authorization` of each request, accepted or not.
  std::vector<std::string> authorizations() const;

  /// Ends every connection and request at once.
  void stop();

  /// Listens, again on the same port after stop().
  void start();

  /// The data of every message that was accepted, in order of arrival.
  std::vector<std::string> accepted() const;

  /// Every request, accepted or not.
  std::vector<v1::PublishRequest> requests() const;

  /// Ids to leave out of each answer.
  std::size_t ids_withheld = 0;

 private:
  grpc::Status Publish(grpc::ServerContext*, const v1::PublishRequest* request,
                       v1::PublishResponse* response) override;

  const Script script_;
  Place place_;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mutex_;
  std::vector<std::string> accepted_;
  std::vector<v1::PublishRequest> requests_;
  std::vector<std::string> authorizations_;
};

}  // namespace cfd::pubsub
