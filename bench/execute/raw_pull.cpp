// The client to compare with: it reads a stream into one reused response, acknowledges each message in one
// reused request for each response, and does nothing else. It runs nothing and extends no lease. With a third
// argument it does not even parse the messages: it copies the ack ids from the wire.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <grpcpp/grpcpp.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"

namespace {

namespace v1 = cfd::pubsub::v1;

template <class Request, class Response>
using Stream = grpc::ClientReaderWriter<Request, Response>;

v1::StreamingPullRequest opening(const char* outstanding) {
  v1::StreamingPullRequest first;
  first.set_subscription("projects/bench/subscriptions/nothing");
  first.set_stream_ack_deadline_seconds(60);
  first.set_max_outstanding_messages(std::atoi(outstanding));
  return first;
}

void pull(const std::shared_ptr<grpc::Channel>& channel, const char* outstanding) {
  const auto stub = v1::Subscriber::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->StreamingPull(&context);
  stream->Write(opening(outstanding));
  v1::StreamingPullResponse response;
  v1::StreamingPullRequest request;
  while (stream->Read(&response)) {
    request.Clear();
    for (auto& received : *response.mutable_received_messages()) request.add_ack_ids(received.ack_id());
    if (!stream->Write(request)) break;
  }
  stream->Finish();
}

std::size_t varint(const std::uint8_t*& at) {
  std::size_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = *at++;
    value |= std::size_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) return value;
  }
}

// The first field of each received message is its ack id, which here is shorter than 128 bytes.
void acknowledge(const grpc::Slice& response, std::string& request) {
  for (const auto* at = response.begin(); at < response.end();) {
    varint(at);
    const std::size_t size = varint(at);
    const std::size_t length = at[1];
    request += '\x12';
    request += static_cast<char>(length);
    request.append(reinterpret_cast<const char*>(at) + 2, length);
    at += size;
  }
}

grpc::ByteBuffer to_buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

void pull_unparsed(const std::shared_ptr<grpc::Channel>& channel, const char* outstanding) {
  const grpc::internal::RpcMethod method("/google.pubsub.v1.Subscriber/StreamingPull",
                                         grpc::internal::RpcMethod::BIDI_STREAMING, channel);
  grpc::ClientContext context;
  const std::unique_ptr<Stream<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
          channel.get(), method, &context));
  stream->Write(to_buffer(opening(outstanding).SerializeAsString()));
  grpc::ByteBuffer response;
  std::string acks;
  while (stream->Read(&response)) {
    grpc::Slice slice;
    if (!response.TrySingleSlice(&slice).ok()) response.DumpToSingleSlice(&slice);
    acks.clear();
    acknowledge(slice, acks);
    if (!stream->Write(to_buffer(acks))) break;
  }
  stream->Finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  (argc == 3 ? pull : pull_unparsed)(channel, argv[2]);
}
