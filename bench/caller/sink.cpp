#include "sink.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

namespace bench {
namespace {

/// Walks over the top-level fields of a PublishRequest.
std::size_t count_messages(const std::string& request) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < request.size();) {
    const auto tag = static_cast<unsigned char>(request[at++]);
    std::size_t length = 0;
    for (unsigned shift = 0; at < request.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(request[at++]);
      length |= static_cast<std::size_t>(byte & 0x7FU) << shift;
      if (byte < 0x80U) break;
    }
    at += length;
    if (tag == 0x12) ++count;
  }
  return count;
}

/// One call after another: requested, read, answered.
class Call {
 public:
  Call(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {
    service_.RequestCall(&context_, &stream_, &queue_, &queue_, this);
  }

  void proceed(bool ok) {
    switch (step_++) {
      case 0:
        if (!ok) break;
        new Call(service_, queue_);
        stream_.Read(&request_, this);
        return;
      case 1:
        if (!ok) break;
        answer();
        return;
      default:
        break;
    }
    delete this;
  }

 private:
  void answer() {
    std::vector<grpc::Slice> slices;
    std::string request;
    static_cast<void>(request_.Dump(&slices));
    for (const grpc::Slice& s : slices) request.append(reinterpret_cast<const char*>(s.begin()), s.size());
    const std::size_t count = count_messages(request);
    std::string response;
    response.reserve(count * 18);
    static std::uint64_t next_id = 1'000'000'000'000'000;
    for (std::size_t i = 0; i < count; ++i) response.append("\x0a\x10", 2).append(std::to_string(next_id++));
    const grpc::Slice slice(response);
    stream_.WriteAndFinish(grpc::ByteBuffer(&slice, 1), {}, grpc::Status::OK, this);
  }

  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::ByteBuffer request_;
  int step_ = 0;
};

}  // namespace

void run_light_sink(int port) {
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterAsyncGenericService(&service);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (!server) std::exit(1);
  for (int i = 0; i < 64; ++i) new Call(service, *queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<Call*>(tag)->proceed(ok);
  std::exit(0);
}

}  // namespace bench
