#include "emulator/rest.hpp"

#include <charconv>
#include <future>
#include <map>

#include <boost/json.hpp>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/json_util.h>

#include "cfd/iam/v1/iam_policy.pb.h"
#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/encoding.hpp"

namespace cfd::emulator {

namespace {

namespace json = boost::json;
namespace pb = google::protobuf;

struct HttpCode {
  unsigned status;
  const char* name;
};

HttpCode http_code(Code code) {
  switch (code) {
    case Code::ok:
      return {200, "OK"};
    case Code::cancelled:
      return {499, "CANCELLED"};
    case Code::invalid_argument:
      return {400, "INVALID_ARGUMENT"};
    case Code::deadline_exceeded:
      return {504, "DEADLINE_EXCEEDED"};
    case Code::not_found:
      return {404, "NOT_FOUND"};
    case Code::already_exists:
      return {409, "ALREADY_EXISTS"};
    case Code::permission_denied:
      return {403, "PERMISSION_DENIED"};
    case Code::resource_exhausted:
      return {429, "RESOURCE_EXHAUSTED"};
    case Code::failed_precondition:
      return {400, "FAILED_PRECONDITION"};
    case Code::aborted:
      return {409, "ABORTED"};
    case Code::unimplemented:
      return {501, "UNIMPLEMENTED"};
    case Code::unavailable:
      return {503, "UNAVAILABLE"};
    case Code::unknown:
    case Code::internal:
      break;
  }
  return {500, "INTERNAL"};
}

RestAnswer error(const Status& status) {
  const auto [code, name] = http_code(status.code);
  return {code, json::serialize(json::object{
                    {"error", {{"code", code}, {"message", status.message}, {"status", name}}}})};
}

RestAnswer to_json(const pb::Message& message) {
  std::string body;
  if (const auto status = pb::util::MessageToJsonString(message, &body); !status.ok()) {
    return error({Code::internal, std::string(status.message())});
  }
  return {200, body};
}

}  // namespace

std::string decode_url(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// A request taken apart: /v1/{name}[/{part}][:{verb}]?{query}
struct Rest::Call {
  std::string method;
  std::string name;        ///< projects/P, or projects/P/topics/T
  std::string collection;  ///< topics, subscriptions, snapshots or schemas
  std::string part;        ///< of a topic: subscriptions, snapshots
  std::string verb;        ///< behind the colon
  bool whole_collection = false;
  std::map<std::string, std::string> query;
  const std::string& body;

  Call(std::string_view http_method, std::string_view target, const std::string& content)
      : method(http_method), body(content) {
    const auto question = target.find('?');
    if (question != std::string_view::npos) parse_query(target.substr(question + 1));
    auto path = target.substr(0, question);
    if (!path.starts_with("/v1/")) return;
    path.remove_prefix(4);
    if (const auto colon = path.rfind(':'); colon != std::string_view::npos) {
      verb = path.substr(colon + 1);
      path = path.substr(0, colon);
    }
    std::vector<std::string> parts;
    while (!path.empty()) {
      const auto slash = std::min(path.find('/'), path.size());
      parts.push_back(decode_url(path.substr(0, slash)));
      path.remove_prefix(std::min(slash + 1, path.size()));
    }
    if (parts.size() < 3 || parts.size() > 5 || parts[0] != "projects") return;
    name = parts[0] + "/" + parts[1];
    collection = parts[2];
    whole_collection = parts.size() == 3;
    if (!whole_collection) name += "/" + collection + "/" + parts[3];
    if (parts.size() == 5) part = parts[4];
  }

  std::string parameter(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? std::string{} : found->second;
  }
  bool is(std::string_view wanted_method, std::string_view wanted_verb = {}) const {
    return method == wanted_method && verb == wanted_verb;
  }

  template <typename Request>
  Request page(Request request) const {
    request.set_page_size(std::atoi(parameter("pageSize").c_str()));
    request.set_page_token(parameter("pageToken"));
    return request;
  }

 private:
  void parse_query(std::string_view text) {
    while (!text.empty()) {
      const auto end = std::min(text.find('&'), text.size());
      const auto pair = text.substr(0, end);
      const auto equals = std::min(pair.find('='), pair.size());
      query[decode_url(pair.substr(0, equals))] = decode_url(pair.substr(std::min(equals + 1, pair.size())));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
};

template <typename Request>
Status Rest::read(const Call& call, Request& request) {
  if (call.body.empty()) return {};
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = pb::util::JsonStringToMessage(call.body, &request, options);
  return status.ok() ? Status{}
                     : invalid_argument("Invalid JSON payload received. " + std::string(status.message()));
}

template <typename Target, typename Request, typename Response>
RestAnswer Rest::invoke(Target& target, Status (Target::*operation)(const Request&, Response&),
                        Request request) {
  Response response;
  if (const auto status = (target.*operation)(request, response); !status.ok()) return error(status);
  const auto durable = std::make_shared<std::promise<Status>>();
  auto answered = durable->get_future();
  broker_.when_durable([durable](const Status& status) { durable->set_value(status); });
  const auto status = answered.get();
  return status.ok() ? to_json(response) : error(status);
}

RestAnswer Rest::handle(std::string_view method, std::string_view target, const std::string& body) {
  const Call call(method, target, body);
  if (call.verb.ends_with("IamPolicy") || call.verb == "testIamPermissions") return iam(call);
  if (call.collection == "topics") return topics(call);
  if (call.collection == "subscriptions") return subscriptions(call);
  if (call.collection == "snapshots") return snapshots(call);
  if (call.collection == "schemas") return schemas(call);
  return error({Code::not_found,
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
    if (const auto status = read(call, request); !status.ok()) return error(status);
    request.set_name(call.name);
    return invoke(broker_, &Broker::create_topic, std::move(request));
  } else if (call.is("PATCH")) {
    v1::UpdateTopicRequest request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
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
  return error({Code::not_found, "There is no such method of topics."});
}

RestAnswer Rest::publish(const Call& call) {
  v1::PublishRequest request;
  if (const auto status = read(call, request); !status.ok()) return error(status);
  request.set_topic(call.name);
  const auto promise = std::make_shared<std::promise<std::pair<Status, BatchPtr>>>();
  auto answered = promise->get_future();
  broker_.publish(request.SerializeAsString(), [promise](const Status& status, const BatchPtr& batch) {
    promise->set_value({status, batch});
  });
  const auto [status, batch] = answered.get();
  if (!status.ok()) return error(status);
  v1::PublishResponse response;
  for (std::size_t i = 0; i < batch->size(); ++i) response.add_message_ids(std::to_string(batch->id(i)));
  return to_json(response);
}

RestAnswer Rest::pull(const Call& call) {
  v1::PullRequest request;
  if (const auto status = read(call, request); !status.ok()) return error(status);
  if (request.max_messages() <= 0) return error(invalid_argument("maxMessages must be above 0"));
  SubscriptionPtr queue;
  if (const auto status = broker_.open_for_pull(call.name, queue); !status.ok()) return error(status);
  const auto consumer = queue->add_consumer([] {}, 0, 0);
  const auto deliveries =
      queue->take(consumer, static_cast<std::size_t>(std::min(request.max_messages(), 1000)), 10'000'000,
                  queue->settings().ack_deadline);
  queue->remove_consumer(consumer);
  std::string bytes(encoded_size(deliveries), '\0');
  encode_deliveries(deliveries, bytes.data());
  v1::PullResponse response;
  response.ParseFromString(bytes);
  return to_json(response);
}

RestAnswer Rest::subscriptions(const Call& call) {
  // Each request names the subscription in the path; the rest of it is the body.
  const auto with_body = [&]<typename Request, typename Response>(
                             Status (Broker::*operation)(const Request&, Response&)) -> RestAnswer {
    Request request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
    request.set_subscription(call.name);
    return invoke(broker_, operation, std::move(request));
  };
  if (call.whole_collection) {
    v1::ListSubscriptionsRequest request;
    request.set_project(call.name);
    if (call.is("GET")) return invoke(broker_, &Broker::list_subscriptions, call.page(request));
  } else if (call.is("PUT")) {
    v1::Subscription request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
    request.set_name(call.name);
    return invoke(broker_, &Broker::create_subscription, std::move(request));
  } else if (call.is("PATCH")) {
    v1::UpdateSubscriptionRequest request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
    request.mutable_subscription()->set_name(call.name);
    return invoke(broker_, &Broker::update_subscription, std::move(request));
  } else if (call.is("GET")) {
    return with_body(&Broker::get_subscription);
  } else if (call.is("DELETE")) {
    return with_body(&Broker::delete_subscription);
  } else if (call.is("POST", "pull")) {
    return pull(call);
  } else if (call.is("POST", "acknowledge")) {
    return with_body(&Broker::acknowledge);
  } else if (call.is("POST", "modifyAckDeadline")) {
    return with_body(&Broker::modify_ack_deadline);
  } else if (call.is("POST", "modifyPushConfig")) {
    return with_body(&Broker::modify_push_config);
  } else if (call.is("POST", "seek")) {
    return with_body(&Broker::seek);
  } else if (call.is("POST", "detach")) {
    return with_body(&Broker::detach_subscription);
  }
  return error({Code::not_found, "There is no such method of subscriptions."});
}

RestAnswer Rest::snapshots(const Call& call) {
  if (call.whole_collection) {
    v1::ListSnapshotsRequest request;
    request.set_project(call.name);
    if (call.is("GET")) return invoke(broker_, &Broker::list_snapshots, call.page(request));
  } else if (call.is("PUT")) {
    v1::CreateSnapshotRequest request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
    request.set_name(call.name);
    return invoke(broker_, &Broker::create_snapshot, std::move(request));
  } else if (call.is("PATCH")) {
    v1::UpdateSnapshotRequest request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
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
  return error({Code::not_found, "There is no such method of snapshots."});
}

RestAnswer Rest::schemas(const Call& call) {
  const auto view = [&] {
    v1::SchemaView parsed = v1::SCHEMA_VIEW_UNSPECIFIED;
    v1::SchemaView_Parse(call.parameter("view"), &parsed);
    return parsed;
  };
  const auto with_body = [&]<typename Request, typename Response>(
                             Status (Schemas::*operation)(const Request&, Response&),
                             auto prepare) -> RestAnswer {
    Request request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
    prepare(request);
    return invoke(schemas_, operation, std::move(request));
  };
  const auto set_name = [&](auto& request) { request.set_name(call.name); };
  const auto set_parent = [&](auto& request) { request.set_parent(call.name); };
  if (call.whole_collection) {
    if (call.is("POST")) {
      v1::CreateSchemaRequest request;
      if (const auto status = read(call, *request.mutable_schema()); !status.ok()) return error(status);
      request.set_parent(call.name);
      request.set_schema_id(call.parameter("schemaId"));
      return invoke(schemas_, &Schemas::create, std::move(request));
    }
    if (call.is("POST", "validate")) return with_body(&Schemas::validate, set_parent);
    if (call.is("POST", "validateMessage")) return with_body(&Schemas::validate_message, set_parent);
    v1::ListSchemasRequest request;
    request.set_parent(call.name);
    request.set_view(view());
    if (call.is("GET")) return invoke(schemas_, &Schemas::list, call.page(request));
  } else if (call.is("GET")) {
    v1::GetSchemaRequest request;
    request.set_name(call.name);
    request.set_view(view());
    return invoke(schemas_, &Schemas::get, std::move(request));
  } else if (call.is("GET", "listRevisions")) {
    v1::ListSchemaRevisionsRequest request;
    request.set_name(call.name);
    request.set_view(view());
    return invoke(schemas_, &Schemas::list_revisions, call.page(request));
  } else if (call.is("DELETE")) {
    return with_body(&Schemas::remove, set_name);
  } else if (call.is("DELETE", "deleteRevision")) {
    return with_body(&Schemas::remove_revision, set_name);
  } else if (call.is("POST", "commit")) {
    return with_body(&Schemas::commit, set_name);
  } else if (call.is("POST", "rollback")) {
    return with_body(&Schemas::rollback, set_name);
  }
  return error({Code::not_found, "There is no such method of schemas."});
}

RestAnswer Rest::iam(const Call& call) {
  const auto with_body = [&]<typename Request, typename Response>(
                             Status (IamPolicies::*operation)(const Request&, Response&)) -> RestAnswer {
    Request request;
    if (const auto status = read(call, request); !status.ok()) return error(status);
    request.set_resource(call.name);
    return invoke(policies_, operation, std::move(request));
  };
  if (call.is("GET", "getIamPolicy")) return with_body(&IamPolicies::get);
  if (call.is("POST", "setIamPolicy")) return with_body(&IamPolicies::set);
  if (call.is("POST", "testIamPermissions")) return with_body(&IamPolicies::test);
  return error({Code::not_found, "There is no such IAM method."});
}

}  // namespace cfd::emulator
