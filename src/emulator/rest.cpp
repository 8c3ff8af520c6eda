#include "emulator/rest.hpp"

#include <future>

#include <google/protobuf/empty.pb.h>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/rest_request.hpp"

namespace cfd::emulator {

RestAnswer Rest::handle(std::string_view method, std::string_view target, const std::string& body) {
  const Call call(method, target, body);
  if (!call.problem.ok()) return rest_error(call.problem);
  if (call.verb.ends_with("IamPolicy") || call.verb == "testIamPermissions") return iam(call);
  if (call.collection == "topics") return topics(call);
  if (call.collection == "subscriptions") return subscriptions(call);
  if (call.collection == "snapshots") return snapshots(call);
  if (call.collection == "schemas") return schemas(call);
  return rest_error({Code::not_found,
                     "There is no such resource path: " + std::string(target.substr(0, target.find('?')))});
}

RestAnswer Rest::topics(const Call& call) {
  if (call.whole_collection) {
    v1::ListTopicsRequest request;
    request.set_project(call.name);
    if (call.is("GET")) return invoke(broker_, &Broker::list_topics, call.page(request));
  } else if (call.part == "subscriptions" && call.is("GET")) {
    v1::ListTopicSubscriptionsRequest request;
    request.set_topic(call.name);
    return invoke(broker_, &Broker::list_topic_subscriptions, call.page(request));
  } else if (call.part == "snapshots" && call.is("GET")) {
    v1::ListTopicSnapshotsRequest request;
    request.set_topic(call.name);
    return invoke(broker_, &Broker::list_topic_snapshots, call.page(request));
  } else if (call.is("PUT")) {
    v1::Topic request;
    if (const auto status = call.read(request); !status.ok()) return rest_error(status);
    request.set_name(call.name);
    return invoke(broker_, &Broker::create_topic, std::move(request));
  } else if (call.is("PATCH")) {
    v1::UpdateTopicRequest request;
    if (const auto status = call.read(request); !status.ok()) return rest_error(status);
    request.mutable_topic()->set_name(call.name);
    return invoke(broker_, &Broker::update_topic, std::move(request));
  } else if (call.is("GET")) {
    v1::GetTopicRequest request;
    request.set_topic(call.name);
    return invoke(broker_, &Broker::get_topic, std::move(request));
  } else if (call.is("DELETE")) {
    v1::DeleteTopicRequest request;
    request.set_topic(call.name);
    return invoke(broker_, &Broker::delete_topic, std::move(request));
  } else if (call.is("POST", "publish")) {
    return publish(call);
  }
  return rest_error({Code::not_found, "There is no such method of topics."});
}

RestAnswer Rest::publish(const Call& call) {
  v1::PublishRequest request;
  if (const auto status = call.read(request); !status.ok()) return rest_error(status);
  request.set_topic(call.name);
  const auto promise = std::make_shared<std::promise<std::pair<Status, BatchPtr>>>();
  auto answered = promise->get_future();
  broker_.publish(request.SerializeAsString(), [promise](const Status& status, const BatchPtr& batch) {
    promise->set_value({status, batch});
  });
  const auto [status, batch] = answered.get();
  if (!status.ok()) return rest_error(status);
  v1::PublishResponse response;
  for (std::size_t i = 0; i < batch->size(); ++i) response.add_message_ids(std::to_string(batch->id(i)));
  return rest_answer(response);
}

}  // namespace cfd::emulator
