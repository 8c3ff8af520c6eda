#include "worker/dead_letter.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <cfd/error.hpp>
#include <cfd/log.hpp>

#include "caller/call_id.hpp"
#include "settings/settings.hpp"
#include "transport/transport.hpp"

namespace cfd::worker {
namespace {

using settings::Key;

// As Pub/Sub names the attributes of messages that its own policy moves, and the reason besides. An attribute
// holds 1,024 bytes.
constexpr std::string_view reason_attribute = "cfd_dead_letter_reason";
constexpr std::size_t longest_value = 1024;

// Beyond this a delivery's own deadline may be over, and the message comes again anyway.
constexpr std::chrono::seconds patience{10};

std::string_view id_of(std::string_view name) {
  return name.substr(name.rfind('/') + 1);
}

}  // namespace

std::unique_ptr<DeadLetters> DeadLetters::from_settings() {
  const auto topic = settings::find(Key::dead_letter_topic);
  if (!topic) return nullptr;
  const auto make_publisher = transport::backend().make_publisher;
  if (make_publisher == nullptr)
    throw ConfigError(
        "CLOUD_FUNCTIONS_DISPATCH_DEAD_LETTER_TOPIC needs gRPC, which this program does not link: link the "
        "CMake target "
        "cfd::cfd instead of cfd::worker, or give the subscription a dead-letter policy");
  const auto emulator = settings::find(Key::emulator_host);
  transport::PublisherConfig config;
  config.topic = fmt::format("projects/{}/topics/{}", settings::require(Key::project), *topic);
  config.endpoint = emulator ? *emulator : settings::require(Key::endpoint);
  config.insecure = emulator.has_value();
  config.publish_timeout =
      std::min<std::chrono::milliseconds>(settings::duration(Key::publish_timeout), patience);
  return std::make_unique<DeadLetters>(make_publisher(config));
}

DeadLetters::DeadLetters(std::unique_ptr<transport::Publisher> publisher)
    : publisher_(std::move(publisher)) {}

DeadLetters::~DeadLetters() {
  publisher_->close(transport::Clock::now());
}

Outcome DeadLetters::take(const Event& event, Outcome rejected) {
  try {
    const std::string attempts = std::to_string(event.delivery_attempt);
    const std::string_view reason = std::string_view(rejected.reason).substr(0, longest_value);
    std::vector<Attribute> attributes(event.attributes.begin(), event.attributes.end());
    attributes.push_back({reason_attribute, reason.empty() ? "rejected" : reason});
    attributes.push_back({"CloudPubSubDeadLetterSourceDeliveryCount", attempts});
    attributes.push_back({"CloudPubSubDeadLetterSourceSubscription", id_of(event.subscription)});
    attributes.push_back({"CloudPubSubDeadLetterSourceTopicPublishTime", event.publish_time});
    const auto id = caller::make_call_id();
    const auto call = detail::make_call_state({id.data(), id.size()});
    publisher_->publish({event.data, attributes, event.ordering_key}, call);
    const std::string letter = call->wait_until(transport::Clock::now() + patience);
    log::warning("event {} went to the dead-letter topic as {}: {}", event.id, letter, rejected.reason);
    return {};
  } catch (const std::exception& error) {
    log::error("event {} could not be published to the dead-letter topic, and comes again: {}", event.id,
               error.what());
    return rejected;
  }
}

}  // namespace cfd::worker
