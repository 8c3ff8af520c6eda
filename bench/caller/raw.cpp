#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "client.hpp"

namespace bench {
namespace {

namespace v1 = cfd::pubsub::v1;
using Clock = std::chrono::steady_clock;

constexpr std::size_t batch = 1000;
constexpr std::size_t in_flight = 4;

std::unique_ptr<v1::Publisher::Stub> connect(int port) {
  return v1::Publisher::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
}

void check(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error("the sink answered: " + status.error_message());
}

/// A request object for `count` messages. Filling it again touches what differs between calls, the data and
/// the call id, and nothing else.
class Reused {
 public:
  Reused(const Sample& sample, bool plain, std::size_t count) : data_(sample.data) {
    request_.set_topic(std::string("projects/bench/topics/bench"));
    for (std::size_t i = 0; i < count; ++i) {
      auto& message = *request_.add_messages();
      if (plain) continue;
      for (const auto& [key, value] : sample.attributes) (*message.mutable_attributes())[key] = value;
      call_ids_.push_back(&(*message.mutable_attributes())[std::string("call_id")]);
      call_id_ = *call_ids_.back();
    }
  }

  const v1::PublishRequest& fill() {
    for (auto& message : *request_.mutable_messages()) message.set_data(data_);
    for (std::string* id : call_ids_) id->assign(call_id_);
    return request_;
  }

 private:
  v1::PublishRequest request_;
  const std::string data_;
  std::string call_id_;
  std::vector<std::string*> call_ids_;
};

struct Call {
  grpc::ClientContext context;
  v1::PublishResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::PublishResponse>> reader;
};

}  // namespace

void run_raw_sustained(int port, const Sample& sample, bool plain, double seconds) {
  tune_malloc();
  const auto stub = connect(port);
  grpc::CompletionQueue queue;
  Reused request(sample, plain, batch);
  std::size_t messages = 0;
  std::size_t open = 0;
  const auto start = Clock::now();
  const auto end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (Clock::now() < end || open > 0) {
    while (open < in_flight && Clock::now() < end) {
      auto* const call = new Call;
      call->reader = stub->AsyncPublish(&call->context, request.fill(), &queue);
      call->reader->Finish(&call->response, &call->status, call);
      ++open;
    }
    void* tag = nullptr;
    bool ok = false;
    if (open == 0 || !queue.Next(&tag, &ok)) break;
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    check(call->status);
    messages += static_cast<std::size_t>(call->response.message_ids_size());
    --open;
  }
  print_sustained(std::chrono::duration<double>(Clock::now() - start).count(), messages);
}

void run_raw_lone(int port, const Sample& sample, std::size_t samples) {
  tune_malloc();
  const auto stub = connect(port);
  Reused request(sample, false, 1);
  std::vector<double> times;
  for (std::size_t i = 0; i < samples + 1; ++i) {
    grpc::ClientContext context;
    v1::PublishResponse response;
    const auto start = Clock::now();
    check(stub->Publish(&context, request.fill(), &response));
    // The first call pays for the connection, on both sides of the comparison.
    if (i > 0) times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  print_percentiles(times);
}

}  // namespace bench
