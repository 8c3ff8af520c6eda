#include "emulator/validation.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <google/protobuf/util/field_mask_util.h>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/names.hpp"

namespace cfd::emulator {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int default_ack_deadline = 10;
constexpr int max_ack_deadline = 600;
constexpr int default_delivery_attempts = 5;
constexpr int min_delivery_attempts = 5;
constexpr int max_delivery_attempts = 100;
constexpr seconds max_backoff{600};
constexpr seconds default_minimum_backoff{10};
constexpr minutes min_retention{10};
constexpr hours max_retention{24 * 31};
constexpr hours default_retention{24 * 7};
constexpr hours default_expiration{24 * 31};
constexpr hours min_expiration{24};
constexpr int max_labels = 64;

void set_duration(google::protobuf::Duration& target, seconds value) {
  target.set_seconds(value.count());
  target.set_nanos(0);
}

Status check_range(std::string_view field, const google::protobuf::Duration& value, Duration low,
                   Duration high) {
  const Duration duration = to_duration(value);
  if (duration >= low && duration <= high) return {};
  const auto in_seconds = [](Duration d) { return std::chrono::duration<double>(d).count(); };
  return invalid_argument(fmt::format("{} is {} s; it must be {} to {} s", field, in_seconds(duration),
                                      in_seconds(low), in_seconds(high)));
}

template <typename Labels>
Status check_labels(const Labels& labels) {
  if (labels.size() > max_labels) return invalid_argument(fmt::format("more than {} labels", max_labels));
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > 63 || value.size() > 63) {
      return invalid_argument(
          fmt::format("label \"{}\": a key has 1 to 63 characters, a value at most 63", key));
    }
  }
  return {};
}

Status complete_dead_letter_policy(v1::Subscription& subscription) {
  if (!subscription.has_dead_letter_policy()) return {};
  auto& policy = *subscription.mutable_dead_letter_policy();
  if (auto status = check_name(policy.dead_letter_topic(), Collection::topics); !status.ok()) return status;
  if (policy.max_delivery_attempts() == 0) policy.set_max_delivery_attempts(default_delivery_attempts);
  const int attempts = policy.max_delivery_attempts();
  if (attempts >= min_delivery_attempts && attempts <= max_delivery_attempts) return {};
  return invalid_argument(fmt::format("max_delivery_attempts is {}; it must be {} to {}", attempts,
                                      min_delivery_attempts, max_delivery_attempts));
}

Status complete_retry_policy(v1::Subscription& subscription) {
  if (!subscription.has_retry_policy()) return {};
  auto& policy = *subscription.mutable_retry_policy();
  if (!policy.has_minimum_backoff()) set_duration(*policy.mutable_minimum_backoff(), default_minimum_backoff);
  if (!policy.has_maximum_backoff()) set_duration(*policy.mutable_maximum_backoff(), max_backoff);
  if (auto status = check_range("minimum_backoff", policy.minimum_backoff(), {}, max_backoff); !status.ok())
    return status;
  if (auto status = check_range("maximum_backoff", policy.maximum_backoff(), {}, max_backoff); !status.ok())
    return status;
  if (to_duration(policy.minimum_backoff()) <= to_duration(policy.maximum_backoff())) return {};
  return invalid_argument("minimum_backoff is above maximum_backoff");
}

Status complete_expiration(v1::Subscription& subscription) {
  if (!subscription.has_expiration_policy()) {
    set_duration(*subscription.mutable_expiration_policy()->mutable_ttl(), default_expiration);
  }
  const auto& policy = subscription.expiration_policy();
  if (!policy.has_ttl() || to_duration(policy.ttl()) == Duration::zero()) return {};  // never expires
  if (auto status = check_range("expiration_policy.ttl", policy.ttl(), min_expiration, Duration::max());
      !status.ok()) {
    return status;
  }
  if (to_duration(policy.ttl()) >= to_duration(subscription.message_retention_duration())) return {};
  return invalid_argument("expiration_policy.ttl is below message_retention_duration");
}

}  // namespace

Duration to_duration(const google::protobuf::Duration& duration) noexcept {
  constexpr std::int64_t largest = std::numeric_limits<Duration::rep>::max() / 1'000'000'000 - 1;
  return seconds{std::clamp<std::int64_t>(duration.seconds(), -largest, largest)} +
         Duration{duration.nanos()};
}

Status complete_topic(v1::Topic& topic) {
  if (auto status = check_labels(topic.labels()); !status.ok()) return status;
  if (topic.has_message_retention_duration()) {
    auto status = check_range("message_retention_duration", topic.message_retention_duration(), min_retention,
                              max_retention);
    if (!status.ok()) return status;
  }
  topic.set_state(v1::Topic::ACTIVE);
  topic.set_satisfies_pzs(false);
  return {};
}

Status check_push_config(const v1::PushConfig& config) {
  const auto& endpoint = config.push_endpoint();
  if (endpoint.empty()) return {};
  if (endpoint.starts_with("http://") || endpoint.starts_with("https://")) return {};
  return invalid_argument(fmt::format(
      "Invalid push endpoint given (endpoint={}): expected an http:// or https:// URL.", endpoint));
}

Status complete_subscription(v1::Subscription& subscription) {
  if (subscription.ack_deadline_seconds() == 0) subscription.set_ack_deadline_seconds(default_ack_deadline);
  const int deadline = subscription.ack_deadline_seconds();
  if (deadline < default_ack_deadline || deadline > max_ack_deadline) {
    return invalid_argument(
        fmt::format("Invalid ack deadline given (ack_deadline_seconds={}): it must be {} to {}.", deadline,
                    default_ack_deadline, max_ack_deadline));
  }
  if (!subscription.has_message_retention_duration()) {
    set_duration(*subscription.mutable_message_retention_duration(), default_retention);
  }
  if (auto status = check_range("message_retention_duration", subscription.message_retention_duration(),
                                min_retention, max_retention);
      !status.ok()) {
    return status;
  }
  Filter filter;
  for (auto status :
       {check_labels(subscription.labels()), complete_expiration(subscription),
        complete_dead_letter_policy(subscription), complete_retry_policy(subscription),
        check_push_config(subscription.push_config()), Filter::parse(subscription.filter(), filter)}) {
    if (!status.ok()) return status;
  }
  if (subscription.enable_exactly_once_delivery() && !subscription.push_config().push_endpoint().empty()) {
    return invalid_argument("exactly-once delivery is for pull subscriptions; this one has a push endpoint");
  }
  subscription.set_state(v1::Subscription::ACTIVE);
  return {};
}

QueueSettings queue_settings(const v1::Subscription& subscription) {
  QueueSettings settings;
  settings.ack_deadline = seconds{subscription.ack_deadline_seconds()};
  settings.ordered = subscription.enable_message_ordering();
  settings.exactly_once = subscription.enable_exactly_once_delivery();
  settings.retain_acked = subscription.retain_acked_messages();
  settings.retention = to_duration(subscription.message_retention_duration());
  // A completed subscription has a filter that parses.
  static_cast<void>(Filter::parse(subscription.filter(), settings.filter));
  if (subscription.has_retry_policy()) {
    settings.backoff = {to_duration(subscription.retry_policy().minimum_backoff()),
                        to_duration(subscription.retry_policy().maximum_backoff())};
  }
  if (subscription.has_dead_letter_policy()) {
    settings.max_attempts =
        static_cast<std::uint32_t>(subscription.dead_letter_policy().max_delivery_attempts());
  }
  return settings;
}

Status apply_mask(const google::protobuf::FieldMask& mask,
                  std::initializer_list<std::string_view> mutable_fields,
                  const google::protobuf::Message& source, google::protobuf::Message& target) {
  using google::protobuf::util::FieldMaskUtil;
  if (mask.paths().empty())
    return invalid_argument("The update_mask in the request must name at least one field.");
  for (const auto& path : mask.paths()) {
    if (!FieldMaskUtil::GetFieldDescriptors(source.GetDescriptor(), path, nullptr)) {
      return invalid_argument(
          fmt::format("Invalid update_mask provided in the request: there is no field \"{}\".", path));
    }
    if (std::ranges::find(mutable_fields, std::string_view{path}.substr(0, path.find('.'))) ==
        mutable_fields.end()) {
      return invalid_argument(fmt::format(
          "Invalid update_mask provided in the request: \"{}\" cannot be changed after creation.", path));
    }
  }
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(source, mask, options, &target);
  return {};
}

}  // namespace cfd::emulator
