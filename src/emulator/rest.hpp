#pragma once

/// \file
/// The REST mapping of the unary calls: JSON over HTTP under /v1/, as Google's API has it. Knows no sockets.

#include <string>
#include <string_view>

#include "emulator/broker.hpp"
#include "emulator/iam.hpp"
#include "emulator/schemas.hpp"

namespace cfd::emulator {

struct RestAnswer {
  unsigned status = 200;
  std::string body;  ///< JSON
};

/// Thread-safe. A pull answers at once, with nothing where there is nothing.
class Rest {
 public:
  Rest(Broker& broker, Schemas& schemas, IamPolicies& policies)
      : broker_(broker), schemas_(schemas), policies_(policies) {}

  /// Handles e.g. ("POST", "/v1/projects/p/topics/t:publish", "{…}"). May block until what it did is durable.
  RestAnswer handle(std::string_view method, std::string_view target, const std::string& body);

 private:
  struct Call;
  RestAnswer topics(const Call& call);
  RestAnswer subscriptions(const Call& call);
  RestAnswer snapshots(const Call& call);
  RestAnswer schemas(const Call& call);
  RestAnswer iam(const Call& call);
  RestAnswer publish(const Call& call);
  RestAnswer pull(const Call& call);

  template <typename Target, typename Request, typename Response>
  RestAnswer invoke(Target& target, Status (Target::*operation)(const Request&, Response&), Request request);
  template <typename Target, typename Request, typename Response, typename Prepare>
  RestAnswer invoke_with_body(const Call& call, Target& target,
                              Status (Target::*operation)(const Request&, Response&), Prepare prepare);

  Broker& broker_;
  Schemas& schemas_;
  IamPolicies& policies_;
};

/// Percent-decoded.
std::string decode_url(std::string_view text);

}  // namespace cfd::emulator
