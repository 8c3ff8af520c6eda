#include "auth/fetch.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

namespace cfd::auth {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::chrono::seconds patience{10};
constexpr std::size_t largest = 1U << 20U;

struct Url {
  bool tls = false;
  std::string host, port, target;
};

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(url.tls ? 8 : 7);
  const std::size_t path = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, path);
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  url.port = url.tls ? "443" : "80";
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    url.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  url.host = authority;
  return url.host.empty() || url.port.empty() ? std::nullopt : std::optional(url);
}

std::chrono::seconds max_age_of(std::string_view cache_control) {
  const std::size_t at = cache_control.find("max-age=");
  long seconds = 0;
  if (at != std::string_view::npos)
    std::from_chars(cache_control.data() + at + 8, cache_control.data() + cache_control.size(), seconds);
  return std::chrono::seconds(std::max(seconds, 0L));
}

// One exchange, on its own io_context. Each step goes on only where the one before it has succeeded.
class Exchange {
 public:
  Exchange(const Url& url, asio::io_context& io)
      : url_(url), tls_(asio::ssl::context::tls_client), resolver_(io), stream_(io, tls_) {
    parser_.body_limit(largest);
    tls_.set_default_verify_paths();
    stream_.set_verify_mode(asio::ssl::verify_peer);
    stream_.set_verify_callback(asio::ssl::host_name_verification(url.host));
    SSL_set_tlsext_host_name(stream_.native_handle(), url.host.c_str());
    request_ = {http::verb::get, url.target, 11};
    request_.set(http::field::host, url.host);
    request_.set(http::field::connection, "close");
  }

  void start() {
    resolver_.async_resolve(url_.host, url_.port, [this](const Error& error, const auto& found) {
      if (!error_of("resolving its name", error)) connect(found);
    });
  }

  Fetched result() {
    if (!done_ && fault_.empty()) fault_ = "no answer in time";
    if (fault_.empty() && parser_.get().result_int() != 200)
      fault_ = fmt::format("status {}", parser_.get().result_int());
    if (!fault_.empty()) return {.body = {}, .error = fault_};
    const auto control = parser_.get()[http::field::cache_control];
    return {parser_.get().body(), max_age_of({control.data(), control.size()}), {}};
  }

 private:
  bool error_of(std::string_view what, const Error& error) {
    if (error) fault_ = fmt::format("{}: {}", what, error.message());
    return static_cast<bool>(error);
  }

  void connect(const Tcp::resolver::results_type& found) {
    beast::get_lowest_layer(stream_).async_connect(found, [this](const Error& error, const auto&) {
      if (error_of("connecting", error)) return;
      if (!url_.tls) return send(stream_.next_layer());
      stream_.async_handshake(asio::ssl::stream_base::client, [this](const Error& failed) {
        if (!error_of("verifying its certificate", failed)) send(stream_);
      });
    });
  }

  template <class Stream>
  void send(Stream& stream) {
    http::async_write(stream, request_, [this, &stream](const Error& error, std::size_t) {
      if (error_of("asking", error)) return;
      http::async_read(stream, buffer_, parser_, [this](const Error& failed, std::size_t) {
        done_ = !error_of("reading the answer", failed);
      });
    });
  }

  const Url& url_;
  asio::ssl::context tls_;
  Tcp::resolver resolver_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_;
  std::string fault_;
  bool done_ = false;
};

Fetched read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string body;
  body.resize(largest + 1);
  file.read(body.data(), static_cast<std::streamsize>(body.size()));
  body.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || body.empty()) return {.body = {}, .error = "it cannot be read, or is empty"};
  if (body.size() > largest) return {.body = {}, .error = "it is too large"};
  return {.body = std::move(body), .error = {}};
}

}  // namespace

Fetched fetch(const std::string& url, const std::stop_token& stop) {
  try {
    if (url.starts_with("file:")) {
      const std::size_t slashes = url.starts_with("file:///") ? 7 : 5;
      return read_file(url.substr(slashes));
    }
    const auto parsed = parse_url(url);
    if (!parsed) return {.body = {}, .error = "it is no URL"};
    asio::io_context io{1};
    const std::stop_callback on_stop(stop, [&io] { io.stop(); });
    Exchange exchange(*parsed, io);
    exchange.start();
    io.run_for(patience);
    return exchange.result();
  } catch (const std::exception& error) {
    return {.body = {}, .error = error.what()};
  }
}

}  // namespace cfd::auth
