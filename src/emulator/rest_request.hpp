#pragma once

/// \file
/// A request of the REST mapping taken apart, and answers of it put together; for the source files of Rest.

#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/message.h>

#include "emulator/rest.hpp"

namespace cfd::emulator {

/// /v1/{name}[/{part}][:{verb}]?{query}
struct Rest::Call {
  std::string method;
  std::string name;  ///< projects/P, or projects/P/topics/T
  std::string
      collection;    ///< topics, subscriptions, snapshots or schemas; empty where the path is none of ours
  std::string part;  ///< of a topic: subscriptions, snapshots
  std::string verb;  ///< behind the colon
  bool whole_collection = false;
  std::map<std::string, std::string> query;  ///< by names in camelCase
  Status problem;                            ///< why the request is not understood
  const std::string& body;

  Call(std::string_view http_method, std::string_view target, const std::string& content);

  std::string parameter(const std::string& key) const;
  bool is(std::string_view wanted_method, std::string_view wanted_verb = {}) const {
    return method == wanted_method && verb == wanted_verb;
  }

  /// Reads the body into a request. A field that the request does not have is an error, as with the service.
  Status read(google::protobuf::Message& request) const;

  template <typename Request>
  Request page(Request request) const {
    request.set_page_size(page_size_);
    request.set_page_token(parameter("pageToken"));
    return request;
  }

 private:
  void parse_query(std::string_view text);
  void parse_path(std::string_view path);

  int page_size_ = 0;
};

/// google.rpc.Status in its JSON form.
RestAnswer rest_error(const Status& status);
RestAnswer rest_answer(const google::protobuf::Message& message);

template <typename Target, typename Request, typename Response>
RestAnswer Rest::invoke(Target& target, Status (Target::*operation)(const Request&, Response&),
                        Request request) {
  Response response;
  if (const auto status = (target.*operation)(request, response); !status.ok()) return rest_error(status);
  const auto durable = std::make_shared<std::promise<Status>>();
  auto answered = durable->get_future();
  broker_.when_durable([durable](const Status& status) { durable->set_value(status); });
  const auto status = answered.get();
  return status.ok() ? rest_answer(response) : rest_error(status);
}

/// The same for a request that is the body, completed by `prepare` with what the path says.
template <typename Target, typename Request, typename Response, typename Prepare>
RestAnswer Rest::invoke_with_body(const Call& call, Target& target,
                                  Status (Target::*operation)(const Request&, Response&), Prepare prepare) {
  Request request;
  if (const auto status = call.read(request); !status.ok()) return rest_error(status);
  prepare(request);
  return invoke(target, operation, std::move(request));
}

}  // namespace cfd::emulator
