#pragma once

/// \file
/// What the protocol demands of the resources a client sends, and the defaults it fills in.

#include "emulator/status.hpp"
#include "emulator/subscription.hpp"

namespace google::protobuf {
class Duration;
class FieldMask;
class Message;
}  // namespace google::protobuf

namespace cfd::pubsub::v1 {
class Topic;
class Subscription;
class PushConfig;
}  // namespace cfd::pubsub::v1

namespace cfd::emulator {

namespace v1 = cfd::pubsub::v1;

/// Checks a topic other than its name, and sets its output fields.
Status complete_topic(v1::Topic& topic);

/// Checks a subscription other than its names, and fills in defaults and output fields.
Status complete_subscription(v1::Subscription& subscription);

Status check_push_config(const v1::PushConfig& config);

/// How the queue of a completed subscription behaves.
QueueSettings queue_settings(const v1::Subscription& subscription);

/// Copies the fields that `mask` names from `source` to `target`, both of one type. INVALID_ARGUMENT where
/// the mask is empty or names a field that is unknown, or not among `mutable_fields`.
Status apply_mask(const google::protobuf::FieldMask& mask,
                  std::initializer_list<std::string_view> mutable_fields,
                  const google::protobuf::Message& source, google::protobuf::Message& target);

Duration to_duration(const google::protobuf::Duration& duration) noexcept;

}  // namespace cfd::emulator
