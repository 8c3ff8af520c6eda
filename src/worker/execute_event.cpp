#include <cfd/execute.hpp>
#include <cfd/log.hpp>

#include "http/request.hpp"
#include "settings/settings.hpp"
#include "worker/run_message.hpp"

namespace cfd {

Outcome execute_event(std::span<const Header> headers, std::string body) {
  try {
    http::Delivery delivery;
    if (const std::string fault = http::parse_request(headers, body, delivery); !fault.empty()) {
      log::error("a request was rejected: its body {}", fault);
      return {Verdict::reject, "the request's body " + fault, {}};
    }
    const std::string topic = settings::find(settings::Key::topic).value_or("");
    Outcome worst;
    for (const http::Message& message : delivery.messages)
      worst = http::worse(std::move(worst), worker::run_message(message.event, topic, {}));
    return worst;
  } catch (const std::exception& error) {
    log::error("a request could not be handled and should be delivered again: {}", error.what());
    return {Verdict::retry, error.what(), {}};
  }
}

}  // namespace cfd
