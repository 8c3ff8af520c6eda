#include "pubsub/channel.hpp"

#include <climits>

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

namespace cfd::pubsub {
namespace {

grpc::ChannelArguments arguments(bool insecure) {
  grpc::ChannelArguments args;
  // Pub/Sub's messages are up to 10 MB and a pull answers with several; gRPC's own cap is 4 MB.
  args.SetMaxReceiveMessageSize(64 << 20);
  args.SetMaxSendMessageSize(-1);
  // A connection that swallows everything is found dead within 40 s; Google's clients use the same 30 s.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // gRPC would wait 1 s and then up to 2 min between attempts to connect; a server that restarts is back
  // sooner.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // also how long one attempt may take
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // A name is looked up again when its address fails, but by gRPC's default not for 30 s after the last time.
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 5'000);
  // Never let go of an idle connection, or the first call after the pause pays for a new one.
  args.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX);
  // Retries are ours: they know the calls' deadlines. A connection of its own for each publisher and
  // subscriber.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  if (insecure) args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return args;
}

}  // namespace

std::shared_ptr<grpc::Channel> connect(const std::string& endpoint, bool insecure, std::string& error) {
  const auto credentials = insecure ? grpc::InsecureChannelCredentials() : grpc::GoogleDefaultCredentials();
  if (!credentials) {
    error =
        "no Application Default Credentials were found: run `gcloud auth application-default login`, or set "
        "GOOGLE_APPLICATION_CREDENTIALS to a key file, or set PUBSUB_EMULATOR_HOST to use a local server";
    return nullptr;
  }
  auto channel = grpc::CreateCustomChannel(endpoint, credentials, arguments(insecure));
  channel->GetState(/*try_to_connect=*/true);
  return channel;
}

}  // namespace cfd::pubsub
