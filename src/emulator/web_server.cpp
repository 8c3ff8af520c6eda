#include "emulator/web_server.hpp"

#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <cfd/error.hpp>

#include "emulator/site.hpp"

namespace cfd::emulator {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
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

Response to_response(WebAnswer answer) {
  Response response{http::int_to_status(answer.status), 11};
  response.set(http::field::content_type, {answer.type.data(), answer.type.size()});
  response.set(http::field::cache_control, "no-store");
  // The page runs its own script and style, and nothing else from anywhere; no other page may show it.
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
               "form-action 'none'; frame-ancestors 'none'; base-uri 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.body() = std::move(answer.body);
  return response;
}

std::string_view header(const Request& request, beast::string_view name) {
  const auto value = request[name];
  return {value.data(), value.size()};
}

}  // namespace

struct WebServer::Impl {
  explicit Impl(Site& the_site) : site(the_site) {}

  Response handle(const Request& request) {
    const std::string_view method{request.method_string().data(), request.method_string().size()};
    const std::string_view target{request.target().data(), request.target().size()};
    const RequestSource source{.host = header(request, "Host"),
                               .origin = header(request, "Origin"),
                               .fetch_site = header(request, "Sec-Fetch-Site"),
                               .content_type = header(request, "Content-Type")};
    return to_response(site.handle({method, target, source, request.body()}));
  }

  void accept() {
    acceptor.async_accept(asio::make_strand(context), [this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) std::make_shared<Session>(std::move(socket), handler)->read();
      accept();
    });
  }

  Site& site;
  const Session::Handler handler = [this](const Request& request) { return handle(request); };
  asio::io_context context{static_cast<int>(thread_count)};
  tcp::acceptor acceptor{context};
  std::vector<std::thread> threads;
  std::uint16_t port = 0;
};

WebServer::WebServer(Site& site) : impl_(std::make_unique<Impl>(site)) {}

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
