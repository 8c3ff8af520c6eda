#include "emulator/http_client.hpp"

#include <algorithm>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

namespace cfd::emulator {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// Answers say by their status all that counts; a body is read to keep the connection, and not beyond this.
constexpr std::uint64_t max_answer_body = 1U << 20U;
constexpr std::size_t max_idle_connections = 64;

using Done = std::function<void(HttpResult)>;
using Request = http::request<http::string_body>;

/// A connection, plain or TLS, with at most one exchange under way.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void exchange(std::shared_ptr<const Request> request, std::chrono::nanoseconds timeout,
                        std::function<void(error_code, int status, bool keep)> done) = 0;
  virtual void close() = 0;
  virtual bool used() const = 0;
};

template <typename Stream>
class StreamConnection final : public Connection,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  using Finish = std::function<void(error_code, int, bool)>;

  template <typename... Arguments>
  StreamConnection(asio::io_context& context, Url url, Arguments&&... arguments)
      : url_(std::move(url)), resolver_(context), stream_(context, std::forward<Arguments>(arguments)...) {}

  bool used() const override { return used_; }

  void exchange(std::shared_ptr<const Request> request, std::chrono::nanoseconds timeout,
                Finish done) override {
    request_ = std::move(request);
    done_ = std::move(done);
    beast::get_lowest_layer(stream_).expires_after(timeout);
    if (used_) return write();
    const auto self = this->shared_from_this();
    resolver_.async_resolve(
        url_.host, url_.port, [self](error_code error, const tcp::resolver::results_type& found) {
          if (error) return self->finish(error);
          beast::get_lowest_layer(self->stream_)
              .async_connect(found, [self](error_code failed, const tcp::endpoint&) {
                if (failed) return self->finish(failed);
                beast::get_lowest_layer(self->stream_).socket().set_option(tcp::no_delay(true));
                self->secure();
              });
        });
  }

  void close() override {
    done_ = nullptr;
    resolver_.cancel();
    beast::get_lowest_layer(stream_).close();
  }

 private:
  void secure() {
    if constexpr (std::is_same_v<Stream, beast::tcp_stream>) {
      write();
    } else {
      SSL_set_tlsext_host_name(stream_.native_handle(), url_.host.c_str());
      stream_.set_verify_callback(asio::ssl::host_name_verification(url_.host));
      const auto self = this->shared_from_this();
      stream_.async_handshake(asio::ssl::stream_base::client, [self](error_code error) {
        if (error) return self->finish(error);
        self->write();
      });
    }
  }

  void write() {
    if (!done_) return;  // closed as it was about to
    const auto self = this->shared_from_this();
    http::async_write(stream_, *request_, [self](error_code error, std::size_t) {
      if (error) return self->finish(error);
      self->read();
    });
  }

  void read() {
    parser_.emplace();
    parser_->body_limit(max_answer_body);
    const auto self = this->shared_from_this();
    http::async_read(stream_, buffer_, *parser_,
                     [self](error_code error, std::size_t) { self->finish(error); });
  }

  void finish(error_code error) {
    const int status = !error ? static_cast<int>(parser_->get().result_int()) : 0;
    const bool keep = !error && parser_->get().keep_alive();
    used_ = true;
    beast::get_lowest_layer(stream_).expires_never();
    if (const auto done = std::exchange(done_, nullptr)) done(error, status, keep);
  }

  const Url url_;
  tcp::resolver resolver_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::shared_ptr<const Request> request_;  ///< a write may go on after close(), until it hears of it
  Finish done_;
  bool used_ = false;
};

asio::ssl::context& tls_context() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    made.set_default_verify_paths();
    made.set_verify_mode(asio::ssl::verify_peer);
    return made;
  }();
  return context;
}

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  struct Exchange {
    std::shared_ptr<const Request> request;
    std::chrono::nanoseconds timeout;
    Done done;
  };

  Impl(asio::io_context& io, Url to) : context(io), url(std::move(to)) {}

  std::shared_ptr<Connection> connect() {
    if (url.tls) {
      return std::make_shared<StreamConnection<beast::ssl_stream<beast::tcp_stream>>>(context, url,
                                                                                      tls_context());
    }
    return std::make_shared<StreamConnection<beast::tcp_stream>>(context, url);
  }

  void send(std::shared_ptr<Exchange> exchange, bool fresh) {
    std::shared_ptr<Connection> connection;
    if (!fresh && !idle.empty()) {
      connection = std::move(idle.back());
      idle.pop_back();
    } else {
      connection = connect();
    }
    busy.push_back(connection);
    const auto self = shared_from_this();
    connection->exchange(
        exchange->request, exchange->timeout,
        [self, exchange, connection, reused = connection->used()](error_code error, int status, bool keep) {
          self->finish(exchange, connection, reused, error, status, keep);
        });
  }

  void finish(const std::shared_ptr<Exchange>& exchange, const std::shared_ptr<Connection>& connection,
              bool reused, error_code error, int status, bool keep) {
    std::erase(busy, connection);
    // An endpoint may close an idle connection just as it is used again, which says nothing about the
    // message.
    const bool stale =
        reused && (error == http::error::end_of_stream || error == asio::error::connection_reset ||
                   error == asio::error::broken_pipe);
    if (stale) return send(exchange, true);
    if (keep && idle.size() < max_idle_connections)
      idle.push_back(connection);
    else
      connection->close();
    exchange->done({status, error ? error.message() : std::string{}});
  }

  asio::io_context& context;
  const Url url;
  std::vector<std::shared_ptr<Connection>> idle;
  std::vector<std::shared_ptr<Connection>> busy;
};

HttpClient::HttpClient(asio::io_context& context, Url url)
    : impl_(std::make_shared<Impl>(context, std::move(url))) {}

HttpClient::~HttpClient() {
  for (const auto& connection : std::exchange(impl_->busy, {})) connection->close();
  for (const auto& connection : std::exchange(impl_->idle, {})) connection->close();
}

void HttpClient::post(HttpRequest request, std::chrono::nanoseconds timeout, Done done) {
  Request message;
  message.method(http::verb::post);
  message.version(11);
  message.target(impl_->url.target);
  const bool default_port = impl_->url.port == (impl_->url.tls ? "443" : "80");
  message.set(http::field::host, default_port ? impl_->url.host : impl_->url.host + ":" + impl_->url.port);
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = std::move(request.body);
  message.prepare_payload();
  auto exchange = std::make_shared<Impl::Exchange>();
  exchange->request = std::make_shared<const Request>(std::move(message));
  exchange->timeout = timeout;
  exchange->done = std::move(done);
  impl_->send(std::move(exchange), false);
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (text.starts_with("https://"))
    url.tls = true;
  else if (!text.starts_with("http://"))
    return std::nullopt;
  text.remove_prefix(url.tls ? 8 : 7);
  const auto path = std::min(text.find_first_of("/?"), text.size());
  auto authority = text.substr(0, path);
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  url.port = url.tls ? "443" : "80";
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    url.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  url.host = authority;
  const bool digits =
      !url.port.empty() && std::ranges::all_of(url.port, [](char c) { return c >= '0' && c <= '9'; });
  if (url.host.empty() || !digits || url.port.size() > 5) return std::nullopt;
  return url;
}

}  // namespace cfd::emulator
