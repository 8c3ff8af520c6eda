#include "pubsub/scripted_subscription.hpp"

#include <chrono>
#include <utility>

namespace cfd::pubsub {

ScriptedSubscription::ScriptedSubscription() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("localhost:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

ScriptedSubscription::~ScriptedSubscription() {
  server_->Shutdown(std::chrono::system_clock::now());
}

/// One stream. All of its members are guarded by the server's lock.
class ScriptedSubscription::Stream final
    : public grpc::ServerBidiReactor<v1::StreamingPullRequest, v1::StreamingPullResponse> {
 public:
  explicit Stream(ScriptedSubscription& server) : server_(server) { StartRead(&request_); }

  void pump() {
    if (writing_ || ended_ || !started_ || server_.outgoing_.empty()) return;
    response_ = std::move(server_.outgoing_.front());
    server_.outgoing_.pop_front();
    writing_ = true;
    StartWrite(&response_);
  }

  void end(const grpc::Status& status) {
    if (std::exchange(ended_, true)) return;
    if (server_.current_ == this) server_.current_ = nullptr;
    Finish(status);
  }

  void OnReadDone(bool ok) override {
    {
      const std::lock_guard lock(server_.mutex_);
      if (!ok) {
        end(grpc::Status::OK);
      } else {
        if (std::exchange(started_, true)) {
          server_.note(request_);
        } else {
          begin();
        }
        if (!ended_) StartRead(&request_);
        pump();
      }
    }
    server_.changed_.notify_all();
  }

  void OnWriteDone(bool) override {
    const std::lock_guard lock(server_.mutex_);
    writing_ = false;
    pump();
  }

  void OnCancel() override {
    const std::lock_guard lock(server_.mutex_);
    end(grpc::Status::CANCELLED);
  }

  void OnDone() override { delete this; }

 private:
  void begin() {
    ++server_.streams;
    server_.first_requests.push_back(request_);
    if (server_.refusals_ > 0) {
      --server_.refusals_;
      end(server_.refusal_);
    } else {
      server_.current_ = this;
    }
  }

  ScriptedSubscription& server_;
  v1::StreamingPullRequest request_;
  v1::StreamingPullResponse response_;
  bool started_ = false;
  bool writing_ = false;
  bool ended_ = false;
};

void ScriptedSubscription::deliver(const std::string& id, const std::string& ordering_key) {
  v1::StreamingPullResponse response;
  auto& received = *response.add_received_messages();
  received.set_ack_id(std::string("ack-").append(id));
  received.mutable_message()->set_message_id(id);
  received.mutable_message()->set_data(std::string("data of ").append(id));
  received.mutable_message()->set_ordering_key(ordering_key);
  received.mutable_message()->mutable_publish_time()->set_seconds(1584138275);
  received.mutable_message()->mutable_publish_time()->set_nanos(95'000'000);
  received.mutable_message()->mutable_attributes()->insert({"function", "f"});
  received.set_delivery_attempt(3);
  send(std::move(response));
}

void ScriptedSubscription::send(v1::StreamingPullResponse response) {
  const std::lock_guard lock(mutex_);
  outgoing_.push_back(std::move(response));
  if (current_ != nullptr) current_->pump();
}

void ScriptedSubscription::end_stream(const grpc::Status& status, int refusals) {
  const std::lock_guard lock(mutex_);
  refusal_ = status;
  refusals_ = refusals;
  if (current_ != nullptr) current_->end(status);
}

bool ScriptedSubscription::wait_for(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1), condition);
}

void ScriptedSubscription::note(const v1::StreamingPullRequest& request) {
  v1::StreamingPullResponse confirmations;
  if (request.ByteSizeLong() == 0) ++empty_requests;
  for (const std::string& id : request.ack_ids()) {
    acked.insert(id);
    confirmations.mutable_acknowledge_confirmation()->add_ack_ids(id);
  }
  for (int i = 0; i < request.modify_deadline_ack_ids_size(); ++i) {
    deadlines.emplace(request.modify_deadline_ack_ids(i), request.modify_deadline_seconds(i));
    confirmations.mutable_modify_ack_deadline_confirmation()->add_ack_ids(request.modify_deadline_ack_ids(i));
  }
  if (exactly_once && confirmations.ByteSizeLong() != 0) outgoing_.push_back(confirmations);
}

grpc::ServerBidiReactor<v1::StreamingPullRequest, v1::StreamingPullResponse>*
ScriptedSubscription::StreamingPull(grpc::CallbackServerContext*) {
  return new Stream(*this);
}

grpc::Status ScriptedSubscription::Acknowledge(grpc::ServerContext*, const v1::AcknowledgeRequest* request,
                                               google::protobuf::Empty*) {
  {
    const std::lock_guard lock(mutex_);
    ++unary_acks;
    for (const std::string& id : request->ack_ids()) acked.insert(id);
  }
  changed_.notify_all();
  return grpc::Status::OK;
}

grpc::Status ScriptedSubscription::ModifyAckDeadline(grpc::ServerContext*,
                                                     const v1::ModifyAckDeadlineRequest* request,
                                                     google::protobuf::Empty*) {
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : request->ack_ids()) deadlines.emplace(id, request->ack_deadline_seconds());
  }
  changed_.notify_all();
  return grpc::Status::OK;
}

}  // namespace cfd::pubsub
