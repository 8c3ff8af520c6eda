#include "fountain.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"

namespace bench {
namespace {

namespace v1 = cfd::pubsub::v1;

constexpr std::size_t batch = 100;
constexpr std::string_view ack_id_prefix = "projects/bench/subscriptions/nothing:";

/// A response of `batch` messages in its wire form. Only the digits of its ack ids change.
class Template {
 public:
  Template() {
    v1::StreamingPullResponse response;
    for (std::size_t i = 0; i < batch; ++i) {
      auto& received = *response.add_received_messages();
      received.set_ack_id(fmt::format("{}{:012}", ack_id_prefix, 0));
      auto& message = *received.mutable_message();
      message.set_data("\x92\x91\x01\x80");
      auto& attributes = *message.mutable_attributes();
      attributes.insert({"function", "bench.nothing"});
      attributes.insert({"cfd", "1"});
      attributes.insert({"call_id", "0123456789abcdef0123456789abcdef"});
      message.set_message_id("2070443601311540");
      message.mutable_publish_time()->set_seconds(1'614'369'753);
    }
    bytes_ = response.SerializeAsString();
    for (std::size_t at = bytes_.find(ack_id_prefix); at != std::string::npos;
         at = bytes_.find(ack_id_prefix, at + 1))
      numbers_.push_back(at + ack_id_prefix.size());
  }

  grpc::ByteBuffer filled(std::size_t first_number) {
    for (std::size_t i = 0; i < batch; ++i)
      fmt::format_to(bytes_.data() + numbers_[i], "{:012}", first_number + i);
    const grpc::Slice slice(bytes_);
    return {&slice, 1};
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> numbers_;
};

/// Counts the ack ids of a request; sets `limit` where the request names one.
std::size_t read_request(const grpc::ByteBuffer& buffer, std::size_t& limit) {
  grpc::Slice slice;
  if (!buffer.TrySingleSlice(&slice).ok()) buffer.DumpToSingleSlice(&slice);
  google::protobuf::io::CodedInputStream in(slice.begin(), static_cast<int>(slice.size()));
  std::size_t acks = 0;
  while (const std::uint32_t tag = in.ReadTag()) {
    std::uint64_t value = 0;
    in.ReadVarint64(&value);  // or the length
    if ((tag & 7U) == 2) in.Skip(static_cast<int>(value));
    if (tag >> 3U == 2) ++acks;
    if (tag >> 3U == 7) limit = value;
  }
  return acks;
}

class Stream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Stream(std::atomic<std::size_t>& acknowledged) : acknowledged_(acknowledged) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    std::unique_lock lock(mutex_);
    if (!ok) {
      ended_ = true;
      if (!writing_) Finish(grpc::Status::OK);
      return;
    }
    const std::size_t acks = read_request(request_, limit_);
    outstanding_ -= std::min(acks, outstanding_);
    acknowledged_ += acks;
    write();
    lock.unlock();
    StartRead(&request_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (ended_) {
      Finish(grpc::Status::OK);
    } else if (ok) {
      write();
    }
  }

  void OnDone() override { delete this; }

 private:
  void write() {
    if (writing_ || ended_ || outstanding_ + batch > limit_) return;
    writing_ = true;
    response_ = prepared_.filled(sent_);
    sent_ += batch;
    outstanding_ += batch;
    StartWrite(&response_);
  }

  std::atomic<std::size_t>& acknowledged_;
  Template prepared_;
  std::mutex mutex_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::size_t limit_ = 0;
  std::size_t outstanding_ = 0;
  std::size_t sent_ = 0;
  bool writing_ = false;
  bool ended_ = false;
};

class Service final : public v1::Subscriber::WithRawCallbackMethod_StreamingPull<v1::Subscriber::Service> {
 public:
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamingPull(
      grpc::CallbackServerContext*) override {
    return new Stream(acknowledged);
  }

  std::atomic<std::size_t> acknowledged{0};
};

}  // namespace

struct Fountain::Impl {
  Service service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

Fountain::Fountain() : impl_(std::make_unique<Impl>()) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &impl_->port);
  builder.RegisterService(&impl_->service);
  impl_->server = builder.BuildAndStart();
}

Fountain::~Fountain() {
  impl_->server->Shutdown(std::chrono::system_clock::now());
}

int Fountain::port() const noexcept {
  return impl_->port;
}

std::size_t Fountain::acknowledged() const noexcept {
  return impl_->service.acknowledged;
}

}  // namespace bench
