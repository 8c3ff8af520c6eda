#include "load.hpp"

#include <stdexcept>
#include <vector>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "report.hpp"

namespace bench {

namespace {

namespace v1 = cfd::pubsub::v1;
using Clock = std::chrono::steady_clock;

void check(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error("the server answered: " + status.error_message());
}

std::string full(const std::string& kind, const std::string& name) {
  return "projects/bench/" + kind + "/" + name;
}

grpc::ByteBuffer serialized(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

v1::PublishRequest publish_request(const std::string& topic, std::size_t batch, std::size_t bytes) {
  v1::PublishRequest request;
  request.set_topic(full("topics", topic));
  for (std::size_t i = 0; i < batch; ++i) request.add_messages()->set_data(std::string(bytes, 'x'));
  return request;
}

/// Reads a varint and moves on.
std::size_t varint(const std::uint8_t*& at) {
  std::size_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = *at++;
    value |= std::size_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) return value;
  }
}

/// Copies the ack ids of a StreamingPullResponse into a StreamingPullRequest that acknowledges them; both
/// serialized.
std::size_t acknowledge_all(const grpc::Slice& response, std::string& request) {
  std::size_t count = 0;
  for (const auto* at = response.begin(); at < response.end();) {
    const auto tag = varint(at);
    const auto size = varint(at);
    if (tag == 0x0A) {  // received_messages; its first field is the ack id
      const auto* inner = at + 1;
      const auto length = varint(inner);
      request += '\x12';
      request += static_cast<char>(length & 0x7FU);
      if (length > 0x7F) {
        request.back() = static_cast<char>(request.back() | 0x80);
        request += static_cast<char>(length >> 7U);
      }
      request.append(reinterpret_cast<const char*>(inner), length);
      ++count;
    }
    at += size;
  }
  return count;
}

}  // namespace

struct Load::Impl {
  explicit Impl(const std::string& host) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 1);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2);
    channel = grpc::CreateCustomChannel(host, grpc::InsecureChannelCredentials(), arguments);
    publisher = v1::Publisher::NewStub(channel);
    subscriber = v1::Subscriber::NewStub(channel);
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Publisher::Stub> publisher;
  std::unique_ptr<v1::Subscriber::Stub> subscriber;
};

Load::Load(const std::string& host) : impl_(std::make_unique<Impl>(host)) {}
Load::~Load() = default;

std::chrono::duration<double> Load::first_answer(Clock::time_point start) {
  v1::ListTopicsRequest request;
  request.set_project("projects/bench");
  v1::ListTopicsResponse response;
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{60});
  check(impl_->publisher->ListTopics(&context, request, &response));
  return Clock::now() - start;
}

void Load::create(const std::string& name, bool with_subscription) {
  v1::Topic topic;
  topic.set_name(full("topics", name));
  grpc::ClientContext context;
  check(impl_->publisher->CreateTopic(&context, topic, &topic));
  if (!with_subscription) return;
  v1::Subscription subscription;
  subscription.set_name(full("subscriptions", name));
  subscription.set_topic(topic.name());
  subscription.set_ack_deadline_seconds(600);
  grpc::ClientContext second;
  check(impl_->subscriber->CreateSubscription(&second, subscription, &subscription));
}

double Load::publish(const std::string& topic, std::size_t requests, std::size_t batch, std::size_t bytes,
                     std::size_t in_flight) {
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer response;
    grpc::Status status;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  };
  const auto request = serialized(publish_request(topic, batch, bytes));
  grpc::GenericStub stub(impl_->channel);
  grpc::CompletionQueue queue;
  const auto send = [&] {
    auto* call = new Call;
    call->reader =
        stub.PrepareUnaryCall(&call->context, "/google.pubsub.v1.Publisher/Publish", request, &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
  };
  const auto start = Clock::now();
  std::size_t sent = 0;
  for (; sent < std::min(in_flight, requests); ++sent) send();
  for (std::size_t done = 0; done < requests; ++done) {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    check(call->status);
    if (sent++ < requests) send();
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  queue.Shutdown();
  return static_cast<double>(requests * batch) / took.count();
}

double Load::stream(const std::string& subscription, std::size_t count) {
  using Stream = grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;
  const grpc::internal::RpcMethod method("/google.pubsub.v1.Subscriber/StreamingPull",
                                         grpc::internal::RpcMethod::BIDI_STREAMING, impl_->channel);
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
          impl_->channel.get(), method, &context));
  v1::StreamingPullRequest first;
  first.set_subscription(full("subscriptions", subscription));
  first.set_stream_ack_deadline_seconds(600);
  const auto start = Clock::now();
  stream->Write(serialized(first));
  std::string acks;
  for (std::size_t got = 0; got < count;) {
    grpc::ByteBuffer response;
    grpc::Slice slice;
    if (!stream->Read(&response)) check(stream->Finish());
    if (!response.TrySingleSlice(&slice).ok()) check(response.DumpToSingleSlice(&slice));
    acks.clear();
    got += acknowledge_all(slice, acks);
    const grpc::Slice ack_slice(acks);
    stream->Write(grpc::ByteBuffer(&ack_slice, 1));
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  context.TryCancel();
  stream->Finish();
  return static_cast<double>(count) / took.count();
}

std::chrono::duration<double, std::micro> Load::delivery(const std::string& name, std::size_t samples) {
  grpc::ClientContext context;
  const auto stream = impl_->subscriber->StreamingPull(&context);
  v1::StreamingPullRequest first;
  first.set_subscription(full("subscriptions", name));
  first.set_stream_ack_deadline_seconds(600);
  stream->Write(first);
  std::vector<double> micros;
  const auto request = publish_request(name, 1, 256);
  for (std::size_t i = 0; i < samples; ++i) {
    const auto start = Clock::now();
    grpc::ClientContext publish_context;
    v1::PublishResponse published;
    grpc::CompletionQueue queue;
    grpc::Status status;
    const auto call = impl_->publisher->AsyncPublish(&publish_context, request, &queue);
    call->Finish(&published, &status, nullptr);
    v1::StreamingPullResponse response;
    std::size_t got = 0;
    while (got == 0 && stream->Read(&response)) {
      got = static_cast<std::size_t>(response.received_messages_size());
    }
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    check(status);
    v1::StreamingPullRequest acknowledge;
    for (const auto& received : response.received_messages()) acknowledge.add_ack_ids(received.ack_id());
    stream->Write(acknowledge);
  }
  context.TryCancel();
  stream->Finish();
  return std::chrono::duration<double, std::micro>(median(micros));
}

namespace {

class Sink final : public v1::Publisher::CallbackService {
  grpc::ServerUnaryReactor* ListTopics(grpc::CallbackServerContext* context, const v1::ListTopicsRequest*,
                                       v1::ListTopicsResponse*) override {
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const v1::PublishRequest* request,
                                    v1::PublishResponse* response) override {
    for (int i = 0; i < request->messages_size(); ++i) response->add_message_ids("1600000000000000");
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

void run_sink(int port) {
  Sink sink;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&sink);
  builder.BuildAndStart()->Wait();
}

}  // namespace bench
