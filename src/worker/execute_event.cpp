#include <memory>

#include <boost/beast/core/string.hpp>

#include <cfd/execute.hpp>
#include <cfd/log.hpp>

#include "execution/executor.hpp"
#include "http/authenticator.hpp"
#include "http/request.hpp"
#include "settings/settings.hpp"

namespace cfd {
namespace {

// 0, or the status that a sender who may not call would get.
unsigned refuse(std::span<const Header> headers) {
  // Made by the first event, for all; where the settings are wrong, by the first after they are right.
  static const std::unique_ptr<http::Authenticator> authenticator = http::authenticator_from_settings();
  if (authenticator == nullptr) return 0;
  std::string_view proof;
  for (const Header& header : headers) {
    if (!boost::beast::iequals({header.name.data(), header.name.size()}, "authorization")) continue;
    if (!proof.empty()) return authenticator->refuse("");
    proof = header.value;
  }
  return authenticator->refuse(proof);
}

}  // namespace

Outcome execute_event(std::span<const Header> headers, std::string body) {
  try {
    if (const unsigned status = refuse(headers); status != 0)
      return {status == 503 ? Verdict::retry : Verdict::reject, "the sender is not known to be Pub/Sub", {}};
    http::Delivery delivery;
    if (const std::string fault = http::parse_request(headers, body, delivery); !fault.empty()) {
      log::error("a request was rejected: its body {}", fault);
      return {Verdict::reject, "the request's body " + fault, {}};
    }
    const std::string topic = settings::find(settings::Key::topic).value_or("");
    Outcome worst;
    for (const http::Message& message : delivery.messages)
      worst = http::worse(std::move(worst), execution::run(message.event, topic, {}));
    return worst;
  } catch (const std::exception& error) {
    log::error("a request could not be handled and should be delivered again: {}", error.what());
    return {Verdict::retry, error.what(), {}};
  }
}

}  // namespace cfd
