#include <memory>

#include <boost/beast/core/string.hpp>

#include <cfd/execute.hpp>
#include <cfd/log.hpp>

#include "http/authenticator.hpp"
#include "http/request.hpp"
#include "worker/runner.hpp"

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

/// Made by the first event, for all, and never destroyed: a function may run until the program's last moment.
worker::Runner& runner() {
  static auto& instance = *new worker::Runner;
  return instance;
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
    Outcome worst;
    for (const http::Message& message : delivery.messages)
      worst = http::worse(std::move(worst), runner().run(message.event, {}));
    return worst;
  } catch (const std::exception& error) {
    log::error("a request could not be handled and should be delivered again: {}", error.what());
    return {Verdict::retry, error.what(), {}};
  }
}

}  // namespace cfd
