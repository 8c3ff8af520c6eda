#include "emulator/web_server.hpp"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <cfd/error.hpp>

#include "emulator/broker.hpp"
#include "emulator/oidc.hpp"
#include "emulator/rest.hpp"

namespace cfd::emulator {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint64_t body_limit = 16U << 20U;  // 10 MB of data are 13.4 MB in base64
constexpr std::chrono::seconds idle_limit{60};
constexpr std::size_t thread_count = 2;  // handlers may wait for the disk

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

/// One connection; answers request after request.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Handler = std::function<Response(const Request&)>;
  Session(tcp::socket socket, const Handler& handler) : stream_(std::move(socket)), handler_(handler) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(body_limit);
    stream_.expires_after(idle_limit);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error == http::error::body_limit) return self->refuse(http::status::payload_too_large);
      if (error && error != http::error::end_of_stream && error != beast::error::timeout) {
        return self->refuse(http::status::bad_request);
      }
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    response_ = handler_(parser_->get());
    response_.keep_alive(parser_->get().keep_alive());
    write();
  }
  void refuse(http::status status) {
    response_ = Response{status, 11};
    response_.keep_alive(false);
    write();
  }
  void write() {
    response_.prepare_payload();
    stream_.expires_after(idle_limit);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error && self->response_.keep_alive()) return self->read();
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  const Handler& handler_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
};

Response respond(unsigned status, const char* type, std::string body) {
  Response response{http::int_to_status(status), 11};
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  // The page runs its own script and style, and nothing else from anywhere.
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
               "connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.body() = std::move(body);
  return response;
}

}  // namespace

std::string state_json(const Broker& broker) {
  json::array topics;
  for (const auto& topic : broker.view_topics())
    topics.push_back({{"name", topic.name}, {"published", topic.published}});
  json::array subscriptions;
  for (const auto& view : broker.view_subscriptions()) {
    const auto& stats = view.stats;
    json::object entry{{"name", view.name},
                       {"topic", view.topic},
                       {"push", view.push_endpoint},
                       {"filter", view.filter},
                       {"deadLetterTopic", view.dead_letter_topic},
                       {"backlog", stats.backlog},
                       {"outstanding", stats.outstanding},
                       {"delivered", stats.delivered},
                       {"acknowledged", stats.acknowledged},
                       {"failed", stats.failed},
                       {"deadLettered", stats.dead_lettered}};
    if (stats.oldest) entry["oldest"] = format_time(*stats.oldest) + "Z";
    subscriptions.push_back(std::move(entry));
  }
  return json::serialize(
      json::object{{"topics", std::move(topics)}, {"subscriptions", std::move(subscriptions)}});
}

struct WebServer::Impl {
  Impl(Broker& the_broker, Rest& the_rest, OidcSigner& the_signer)
      : broker(the_broker), rest(the_rest), signer(the_signer) {}

  Response handle(const Request& request) {
    const std::string_view target{request.target().data(), request.target().size()};
    const bool get = request.method() == http::verb::get;
    if (target.starts_with("/v1/")) {
      const std::string_view method{request.method_string().data(), request.method_string().size()};
      auto answer = rest.handle(method, target, request.body());
      return respond(answer.status, "application/json; charset=utf-8", std::move(answer.body));
    }
    if (request.method() == http::verb::post && target == "/faults") return add_fault(request.body());
    if (get && target == "/") return respond(200, "text/html; charset=utf-8", page_html);
    if (get && target == "/state") return respond(200, "application/json", state_json(broker));
    if (get && target == "/oauth2/v3/certs") return respond(200, "application/json", signer.jwks());
    return respond(404, "text/plain", "There is nothing here; / is the page, /v1/ the REST interface.\n");
  }

  /// {"method": "Publish", "code": 14, "count": 3, "delayMs": 100, "duplicate": false}; an empty object ends
  /// all faults.
  Response add_fault(const std::string& body) {
    error_code error;
    const auto value = json::parse(body, error);
    if (error || !value.is_object()) return respond(400, "text/plain", "expected a JSON object\n");
    const auto& object = value.as_object();
    const auto number = [&](const char* key, std::int64_t otherwise) {
      const auto* found = object.if_contains(key);
      return found != nullptr && found->is_int64() ? found->as_int64() : otherwise;
    };
    const auto* method = object.if_contains("method");
    if (method == nullptr)
      broker.faults().clear();
    else if (!method->is_string())
      return respond(400, "text/plain", "\"method\" is no string\n");
    else {
      const auto* duplicate = object.if_contains("duplicate");
      broker.faults().add(
          {.method = std::string(method->as_string()),
           .count = static_cast<std::uint32_t>(number("count", 1)),
           .delay = std::chrono::milliseconds{number("delayMs", 0)},
           .status = {static_cast<Code>(number("code", 0)), "injected fault"},
           .duplicate = duplicate != nullptr && duplicate->is_bool() && duplicate->as_bool()});
    }
    return respond(200, "application/json", "{}");
  }

  void accept() {
    acceptor.async_accept(asio::make_strand(context), [this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) std::make_shared<Session>(std::move(socket), handler)->read();
      accept();
    });
  }

  Broker& broker;
  Rest& rest;
  OidcSigner& signer;
  const Session::Handler handler = [this](const Request& request) { return handle(request); };
  asio::io_context context{static_cast<int>(thread_count)};
  tcp::acceptor acceptor{context};
  std::vector<std::thread> threads;
  std::uint16_t port = 0;
};

WebServer::WebServer(Broker& broker, Rest& rest, OidcSigner& signer)
    : impl_(std::make_unique<Impl>(broker, rest, signer)) {}

WebServer::~WebServer() {
  stop();
}

void WebServer::start(const std::string& address, std::uint16_t port) {
  auto& impl = *impl_;
  try {
    tcp::resolver resolver(impl.context);
    const tcp::endpoint endpoint =
        *resolver.resolve(address, std::to_string(port), tcp::resolver::passive).begin();
    impl.acceptor.open(endpoint.protocol());
    impl.acceptor.set_option(tcp::acceptor::reuse_address(true));
    impl.acceptor.bind(endpoint);
    impl.acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw Error(
        fmt::format("the HTTP port {}:{} cannot be used: {}; choose another, or port 0 for any free one",
                    address, port, error.code().message()));
  }
  impl.port = impl.acceptor.local_endpoint().port();
  impl.accept();
  for (std::size_t i = 0; i < thread_count; ++i) impl.threads.emplace_back([&impl] { impl.context.run(); });
}

std::uint16_t WebServer::port() const noexcept {
  return impl_->port;
}

void WebServer::stop() {
  impl_->context.stop();
  for (auto& thread : std::exchange(impl_->threads, {})) thread.join();
}

}  // namespace cfd::emulator
