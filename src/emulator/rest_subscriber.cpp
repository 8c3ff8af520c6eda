// The REST mapping of the Subscriber.
#include <algorithm>

#include <google/protobuf/empty.pb.h>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/encoding.hpp"
#include "emulator/rest_request.hpp"

namespace cfd::emulator {

RestAnswer Rest::pull(const Call& call) {
  v1::PullRequest request;
  if (const auto status = call.read(request); !status.ok()) return rest_error(status);
  if (request.max_messages() <= 0) return rest_error(invalid_argument("maxMessages must be above 0"));
  SubscriptionPtr queue;
  if (const auto status = broker_.open_for_pull(call.name, queue); !status.ok()) return rest_error(status);
  const auto consumer = queue->add_consumer([] {}, 0, 0);
  const auto deliveries =
      queue->take(consumer, static_cast<std::size_t>(std::min(request.max_messages(), 1000)), 10'000'000,
                  queue->settings().ack_deadline);
  queue->remove_consumer(consumer);
  std::string bytes(encoded_size(deliveries), '\0');
  encode_deliveries(deliveries, bytes.data());
  v1::PullResponse response;
  response.ParseFromString(bytes);
  return rest_answer(response);
}

RestAnswer Rest::subscriptions(const Call& call) {
  const auto set_subscription = [&](auto& request) { request.set_subscription(call.name); };
  if (call.whole_collection) {
    v1::ListSubscriptionsRequest request;
    request.set_project(call.name);
    if (call.is("GET")) return invoke(broker_, &Broker::list_subscriptions, call.page(request));
  } else if (call.is("PUT")) {
    v1::Subscription request;
    if (const auto status = call.read(request); !status.ok()) return rest_error(status);
    request.set_name(call.name);
    return invoke(broker_, &Broker::create_subscription, std::move(request));
  } else if (call.is("PATCH")) {
    v1::UpdateSubscriptionRequest request;
    if (const auto status = call.read(request); !status.ok()) return rest_error(status);
    request.mutable_subscription()->set_name(call.name);
    return invoke(broker_, &Broker::update_subscription, std::move(request));
  } else if (call.is("GET")) {
    return invoke_with_body(call, broker_, &Broker::get_subscription, set_subscription);
  } else if (call.is("DELETE")) {
    return invoke_with_body(call, broker_, &Broker::delete_subscription, set_subscription);
  } else if (call.is("POST", "pull")) {
    return pull(call);
  } else if (call.is("POST", "acknowledge")) {
    return invoke_with_body(call, broker_, &Broker::acknowledge, set_subscription);
  } else if (call.is("POST", "modifyAckDeadline")) {
    return invoke_with_body(call, broker_, &Broker::modify_ack_deadline, set_subscription);
  } else if (call.is("POST", "modifyPushConfig")) {
    return invoke_with_body(call, broker_, &Broker::modify_push_config, set_subscription);
  } else if (call.is("POST", "seek")) {
    return invoke_with_body(call, broker_, &Broker::seek, set_subscription);
  } else if (call.is("POST", "detach")) {
    return invoke_with_body(call, broker_, &Broker::detach_subscription, set_subscription);
  }
  return rest_error({Code::not_found, "There is no such method of subscriptions."});
}

RestAnswer Rest::snapshots(const Call& call) {
  if (call.whole_collection) {
    v1::ListSnapshotsRequest request;
    request.set_project(call.name);
    if (call.is("GET")) return invoke(broker_, &Broker::list_snapshots, call.page(request));
  } else if (call.is("PUT")) {
    v1::CreateSnapshotRequest request;
    if (const auto status = call.read(request); !status.ok()) return rest_error(status);
    request.set_name(call.name);
    return invoke(broker_, &Broker::create_snapshot, std::move(request));
  } else if (call.is("PATCH")) {
    v1::UpdateSnapshotRequest request;
    if (const auto status = call.read(request); !status.ok()) return rest_error(status);
    request.mutable_snapshot()->set_name(call.name);
    return invoke(broker_, &Broker::update_snapshot, std::move(request));
  } else if (call.is("GET")) {
    v1::GetSnapshotRequest request;
    request.set_snapshot(call.name);
    return invoke(broker_, &Broker::get_snapshot, std::move(request));
  } else if (call.is("DELETE")) {
    v1::DeleteSnapshotRequest request;
    request.set_snapshot(call.name);
    return invoke(broker_, &Broker::delete_snapshot, std::move(request));
  }
  return rest_error({Code::not_found, "There is no such method of snapshots."});
}

}  // namespace cfd::emulator
