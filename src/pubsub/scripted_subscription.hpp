#pragma once

/// \file
/// For tests: a real gRPC server with one subscription, whose deliveries the test writes and whose traffic it
/// sees.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"

namespace cfd::pubsub {

class ScriptedSubscription final
    : public v1::Subscriber::WithCallbackMethod_StreamingPull<v1::Subscriber::Service> {
 public:
  ScriptedSubscription();
  ScriptedSubscription(const ScriptedSubscription&) = delete;
  ScriptedSubscription& operator=(const ScriptedSubscription&) = delete;
  ~ScriptedSubscription() override;

  std::string endpoint() const { return "localhost:" + std::to_string(port_); }

  /// Sends one message; its ack id is "ack-" and `id`.
  void deliver(const std::string& id, const std::string& ordering_key = {});
  void send(v1::StreamingPullResponse response);

  /// Ends the open stream, and then so many more as soon as they are opened.
  void end_stream(const grpc::Status& status, int refusals = 0);

  /// Waits until `condition` holds, at most a minute; the condition sees a consistent state.
  bool wait_for(const std::function<bool()>& condition);

  // What was seen; read inside a condition of wait_for(), or once nothing moves any more.
  std::multiset<std::string> acked;
  std::multimap<std::string, int> deadlines;
  std::vector<v1::StreamingPullRequest> first_requests;
  int empty_requests = 0;
  int streams = 0;
  int unary_acks = 0;

  /// Whether to confirm acknowledgements and deadlines, as under exactly-once delivery.
  bool exactly_once = false;

 private:
  class Stream;
  grpc::ServerBidiReactor<v1::StreamingPullRequest, v1::StreamingPullResponse>* StreamingPull(
      grpc::CallbackServerContext*) override;
  grpc::Status Acknowledge(grpc::ServerContext*, const v1::AcknowledgeRequest* request,
                           google::protobuf::Empty*) override;
  grpc::Status ModifyAckDeadline(grpc::ServerContext*, const v1::ModifyAckDeadlineRequest* request,
                                 google::protobuf::Empty*) override;
  void note(const v1::StreamingPullRequest& request);

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<v1::StreamingPullResponse> outgoing_;
  Stream* current_ = nullptr;
  grpc::Status refusal_;
  int refusals_ = 0;
};

}  // namespace cfd::pubsub
