#pragma once

/// \file
/// The connection to Pub/Sub, with the settings that both directions share.

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace cfd::pubsub {

/// A channel to `endpoint` (host:port), connecting already when it is returned. Insecure: plain text, past
/// any proxy, for a local server. Otherwise TLS with Application Default Credentials; finding these may ask
/// Google's metadata server, so this may take a second. Null where there are no credentials; `error` then
/// says so, and the way out.
std::shared_ptr<grpc::Channel> connect(const std::string& endpoint, bool insecure, std::string& error);

}  // namespace cfd::pubsub
