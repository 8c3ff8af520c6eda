#include "emulator/rest_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

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
    case Code::data_loss:
      return {500, "DATA_LOSS"};
    case Code::unknown:
    case Code::internal:
      break;
  }
  return {500, "INTERNAL"};
}

/// What may stand behind the question mark: fields of the requests, and what Google's front end takes of
/// every API and this server has no use for.
constexpr std::array<std::string_view, 21> query_parameters{"pageSize",
                                                            "pageToken",
                                                            "view",
                                                            "schemaId",
                                                            "revisionId",
                                                            "updateMask",
                                                            "options.requestedPolicyVersion",
                                                            "alt",
                                                            "$alt",
                                                            "access_token",
                                                            "callback",
                                                            "fields",
                                                            "$fields",
                                                            "key",
                                                            "oauth_token",
                                                            "prettyPrint",
                                                            "$prettyPrint",
                                                            "quotaUser",
                                                            "uploadType",
                                                            "upload_protocol",
                                                            "$.xgafv"};

/// page_size as pageSize: both are accepted, as by the service.
std::string camel_case(std::string name) {
  if (std::ranges::find(query_parameters, name) != query_parameters.end()) return name;
  std::string made;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool raise = name[i] == '_' && i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z';
    made += raise ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
  }
  return made;
}

std::string with_spaces(std::string_view text) {
  std::string made(text);
  std::ranges::replace(made, '+', ' ');
  return made;
}

}  // namespace

RestAnswer rest_error(const Status& status) {
  const auto [code, name] = http_code(status.code);
  json::object error{{"code", code}, {"message", status.message}, {"status", name}};
  if (!status.ack_errors.empty()) {
    json::object metadata;
    for (const auto& [ack_id, reason] : status.ack_errors) metadata[ack_id] = reason;
    error["details"] = json::array{json::object{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                                                {"reason", "PERMANENT_FAILURE"},
                                                {"domain", "pubsub.googleapis.com"},
                                                {"metadata", std::move(metadata)}}};
  }
  return {code, json::serialize(json::object{{"error", std::move(error)}})};
}

RestAnswer rest_answer(const pb::Message& message) {
  std::string body;
  if (const auto status = pb::util::MessageToJsonString(message, &body); !status.ok())
    return rest_error({Code::internal, std::string(status.message())});
  return {200, body};
}

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

Rest::Call::Call(std::string_view http_method, std::string_view target, const std::string& content)
    : method(http_method), body(content) {
  const auto question = target.find('?');
  if (question != std::string_view::npos) parse_query(target.substr(question + 1));
  parse_path(target.substr(0, question));
}

void Rest::Call::parse_path(std::string_view path) {
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

void Rest::Call::parse_query(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto key = camel_case(decode_url(with_spaces(pair.substr(0, equals))));
    if (std::ranges::find(query_parameters, key) == query_parameters.end()) {
      problem = invalid_argument(fmt::format(
          "Invalid JSON payload received. Unknown name \"{}\": Cannot bind query parameter.", key));
    }
    query[key] = decode_url(with_spaces(pair.substr(std::min(equals + 1, pair.size()))));
  }
  if (const auto size = parameter("pageSize"); !size.empty()) {
    const auto [rest, error] = std::from_chars(size.data(), size.data() + size.size(), page_size_);
    if (error != std::errc{} || rest != size.data() + size.size())
      problem = invalid_argument(fmt::format("Invalid value at 'page_size' (TYPE_INT32), \"{}\"", size));
  }
}

std::string Rest::Call::parameter(const std::string& key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string{} : found->second;
}

Status Rest::Call::read(pb::Message& request) const {
  if (body.empty()) return {};
  const auto status = pb::util::JsonStringToMessage(body, &request);
  return status.ok() ? Status{}
                     : invalid_argument("Invalid JSON payload received. " + std::string(status.message()));
}

}  // namespace cfd::emulator
