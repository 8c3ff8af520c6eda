#include "emulator/site.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json.hpp>

#include "emulator/broker.hpp"
#include "emulator/oidc.hpp"
#include "emulator/rest.hpp"

namespace cfd::emulator {

namespace {

namespace json = boost::json;

constexpr std::string_view plain_text = "text/plain; charset=utf-8";
constexpr std::size_t shown_messages = 100, most_messages = 500;

WebAnswer plain(unsigned status, std::string text) {
  return {status, plain_text, std::move(text) + "\n"};
}

/// In the form of the API's errors, which its clients and the page know how to show.
WebAnswer refuse(unsigned status, std::string_view name, std::string_view reason) {
  WebAnswer answer;
  answer.status = status;
  answer.body =
      json::serialize(json::object{{"error", {{"code", status}, {"message", reason}, {"status", name}}}});
  return answer;
}

WebAnswer json_answer(std::string body) {
  WebAnswer answer;
  answer.body = std::move(body);
  return answer;
}

template <typename Number>
Number number(std::string_view text, Number otherwise) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

const PageFile* page_file(std::string_view path) {
  const auto found = std::ranges::find(page_files, path, &PageFile::path);
  return found == page_files.end() ? nullptr : &*found;
}

}  // namespace

Site::Site(Broker& broker, Rest& rest, OidcSigner& signer, std::string own_address)
    : broker_(broker), rest_(rest), signer_(signer), own_address_(std::move(own_address)) {}

WebAnswer Site::handle(const WebRequest& request) {
  const auto question = std::min(request.target.find('?'), request.target.size());
  const auto path = request.target.substr(0, question);
  const bool get_method = request.method == "GET";
  const auto* const file = page_file(path);
  auto source = request.source;
  // The page itself holds no data; a link to it may stand anywhere.
  if (get_method && file != nullptr) source.fetch_site = {};
  if (const auto reason = refusal_of(source, own_address_); !reason.empty())
    return refuse(403, "PERMISSION_DENIED", reason);
  if (!request.body.empty() && !is_json(source.content_type))
    return refuse(415, "INVALID_ARGUMENT", "A body needs the header Content-Type: application/json.");
  if (path.starts_with("/v1/")) {
    auto answer = rest_.handle(request.method, request.target, request.body);
    WebAnswer made = json_answer(std::move(answer.body));
    made.status = answer.status;
    return made;
  }
  if (request.method == "POST" && path == "/faults") return add_fault(request.body);
  if (get_method && file != nullptr) return {200, file->type, std::string(file->content)};
  if (get_method) return get(path, request.target.substr(question));
  return plain(404, "There is nothing here; / is the page, /v1/ the REST interface.");
}

WebAnswer Site::get(std::string_view path, std::string_view query) {
  constexpr std::string_view limit = "?limit=";
  constexpr std::string_view message = "/messages/";
  if (path == "/state") return json_answer(state_json(broker_));
  if (path == "/dead-letters") return json_answer(dead_letters_json(broker_));
  if (path == "/messages") {
    const auto wanted =
        query.starts_with(limit) ? number(query.substr(limit.size()), shown_messages) : shown_messages;
    return json_answer(messages_json(broker_, std::min(wanted, most_messages)));
  }
  if (path.starts_with(message)) {
    auto body = message_json(broker_, number(path.substr(message.size()), std::uint64_t{0}));
    return body.empty() ? refuse(404, "NOT_FOUND", "The content of this message is no longer held.")
                        : json_answer(std::move(body));
  }
  if (path == "/oauth2/v3/certs") return json_answer(signer_.jwks());
  return plain(404, "There is nothing here; / is the page, /v1/ the REST interface.");
}

/// {"method": "Publish", "code": 14, "count": 3, "delayMs": 100, "duplicate": false, "reorder": false}; an
/// empty object ends all faults.
WebAnswer Site::add_fault(const std::string& body) {
  boost::system::error_code error;
  const auto value = json::parse(body, error);
  if (error || !value.is_object()) return plain(400, "expected a JSON object");
  const auto& object = value.as_object();
  const auto integer = [&](const char* key, std::int64_t otherwise) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? found->as_int64() : otherwise;
  };
  const auto* method = object.if_contains("method");
  if (method == nullptr) {
    broker_.faults().clear();
    return json_answer("{}");
  }
  if (!method->is_string()) return plain(400, "\"method\" is no string");
  const auto flag = [&](const char* name) {
    const auto* member = object.if_contains(name);
    return member != nullptr && member->is_bool() && member->as_bool();
  };
  broker_.faults().add({.method = std::string(method->as_string()),
                        .count = static_cast<std::uint32_t>(integer("count", 1)),
                        .delay = std::chrono::milliseconds{integer("delayMs", 0)},
                        .status = {static_cast<Code>(integer("code", 0)), "injected fault"},
                        .duplicate = flag("duplicate"),
                        .reorder = flag("reorder")});
  return json_answer("{}");
}

}  // namespace cfd::emulator
