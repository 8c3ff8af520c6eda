#include "http/session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <cfd/log.hpp>

#include "http/request.hpp"

namespace cfd::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Error = boost::system::error_code;
using Field = beast::http::field;
using Verb = beast::http::verb;

constexpr std::size_t read_chunk = 64U << 10U;
// How much, and how long, a client whose request was refused may go on sending before it is cut off: enough
// for most to read the answer first, which a reset would take from them.
constexpr std::size_t linger_bytes = 1U << 20U;
constexpr std::chrono::seconds linger_time{2};

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

Response fault_response(const Error& fault) {
  using beast::http::error;
  if (fault == error::header_limit) return {.status = 431, .body = "the request's header is too large\n"};
  if (fault == error::body_limit) return {.status = 413, .body = "the request's body is too large\n"};
  if (fault == error::bad_version) return {.status = 505, .body = "HTTP/1.1 is spoken here\n"};
  return {.status = 400, .body = "the request is no valid HTTP\n"};
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::shared_ptr<Core> core)
    : socket_(std::move(socket)),
      core_(std::move(core)),
      buffer_(core_->options.header_limit + 2 * read_chunk) {}

void Session::start() {
  Error ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  next_request();
}

void Session::enter(State state) {
  state_ = state;
  const auto& options = core_->options;
  switch (state) {
    case State::idle:
      deadline_ = Clock::now() + options.idle_timeout;
      break;
    case State::reading:
      deadline_ = Clock::now() + options.read_timeout;
      break;
    case State::writing:
      deadline_ = Clock::now() + options.write_timeout;
      break;
    case State::lingering:
      deadline_ = Clock::now() + linger_time;
      break;
    case State::executing:
    case State::closed:
      deadline_ = Clock::time_point::max();
      break;
  }
}

void Session::next_request() {
  release_body_bytes();
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(static_cast<std::uint32_t>(core_->options.header_limit));
  parser_->body_limit(core_->options.body_limit);
  header_seen_ = false;
  enter(State::idle);
  parse();
}

void Session::read() {
  socket_.async_read_some(buffer_.prepare(read_chunk),
                          [self = shared_from_this()](const Error& error, std::size_t n) {
                            if (self->state_ == State::closed) return;
                            if (error) return self->close();
                            self->buffer_.commit(n);
                            self->parse();
                          });
}

void Session::parse() {
  Error error;
  while (buffer_.size() > 0 && !parser_->is_done()) {
    if (state_ == State::idle) enter(State::reading);
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (parser_->is_header_done() && !header_seen_) {
      header_seen_ = true;
      if (!error && !accept_header()) return;
    }
    if (error == beast::http::error::need_more) break;
    if (error) return answer(fault_response(error), false);
    hold_body_bytes();
    if (core_->body_bytes > core_->options.memory_limit)
      return answer({.status = 503, .body = "too many large requests at once\n"}, false);
  }
  if (parser_->is_done()) return dispatch();
  read();
}

// What the parser leaves to us. Returns false where the request has been answered.
bool Session::accept_header() {
  const auto& header = parser_->get();
  const auto refuse = [this](unsigned status, std::string_view body) {
    answer({.status = status, .body = body}, false);
    return false;
  };
  if (header.version() == 11 && header.count(Field::host) != 1)
    return refuse(400, "exactly one Host field is needed\n");
  // Anything but chunked could be framed otherwise by whoever stands before us: the door to request
  // smuggling.
  if (header.count(Field::transfer_encoding) > 0 &&
      (header.version() != 11 || !beast::iequals(header[Field::transfer_encoding], "chunked")))
    return refuse(501, "no transfer encoding but chunked is known\n");
  const auto expect = header[Field::expect];
  if (expect.empty() || header.version() != 11 || parser_->is_done()) return true;
  if (!beast::iequals(expect, "100-continue"))
    return refuse(417, "no expectation but 100-continue is known\n");
  // These few bytes fit into the send buffer of a connection on which nothing else is under way.
  Error error;
  asio::write(socket_, asio::buffer(go_on), error);
  if (error) close();
  return !error;
}

void Session::hold_body_bytes() {
  const std::size_t now = parser_->get().body().size();
  core_->body_bytes += now - held_;
  held_ = now;
}

void Session::release_body_bytes() {
  core_->body_bytes -= held_;
  held_ = 0;
}

void Session::dispatch() {
  const auto& request = parser_->get();
  const std::string_view target(request.target().data(), request.target().size());
  keep_alive_ = request.keep_alive();
  const bool reads = request.method() == Verb::get || request.method() == Verb::head;
  if (path_of(target) == "/healthz") {
    if (!reads) return respond({.status = 405, .allow = "GET, HEAD"});
    return respond({.status = 200, .body = "ok\n"});
  }
  if (request.method() != Verb::post) return respond({.status = 405, .body = "", .allow = "POST"});
  if (core_->stopping) return respond({.status = 503, .body = "shutting down\n"});
  enter(State::executing);
  core_->busy(+1);
  if (core_->pool.submit(shared_from_this())) return;
  core_->busy(-1);
  respond({.status = 429, .body = "every thread is busy\n", .retry_after = std::chrono::seconds(1)});
}

void Session::run() noexcept {
  try {
    execute();
  } catch (const std::exception& error) {
    log::error("a request could not be handled and will be delivered again: {}", error.what());
    response_ = {.status = 503};
  }
  core_->completed(shared_from_this());
}

void Session::execute() {
  auto& request = parser_->get();
  if (const unsigned status = refuse()) {
    response_ = refusal(status);
    return;
  }
  headers_.clear();
  for (const auto& field : request)
    headers_.push_back({{field.name_string().data(), field.name_string().size()},
                        {field.value().data(), field.value().size()}});
  if (const std::string fault = parse_request(headers_, request.body(), delivery_); !fault.empty()) {
    log::error("a request was refused with status 400: its body {}", fault);
    response_ = {.status = 400, .body = "the body is no Pub/Sub message; the log says why\n"};
    return;
  }
  Outcome worst;
  for (const Message& message : delivery_.messages)
    worst = worse(std::move(worst), core_->handler(message.event, core_->stop_functions.get_token()));
  response_ = response_to(worst);
}

// Two proofs of identity are none: who stands before us may have looked at the other one.
unsigned Session::refuse() {
  if (core_->options.authenticator == nullptr) return 0;
  const auto& request = parser_->get();
  if (request.count(Field::authorization) > 1) return core_->options.authenticator->refuse("");
  const auto proof = request[Field::authorization];
  return core_->options.authenticator->refuse({proof.data(), proof.size()});
}

void Session::resume() {
  if (state_ != State::closed) respond(response_);
  core_->busy(-1);
}

void Session::abandon() {
  response_ = {.status = 503, .body = "shutting down\n"};
  resume();
}

void Session::respond(const Response& response) {
  answer(response, keep_alive_ && !core_->stopping);
}

void Session::answer(const Response& response, bool keep_alive) {
  const auto& request = parser_->get();
  keep_alive_ = keep_alive;
  enter(State::writing);
  core_->busy(+1);
  out_.clear();
  append(out_, response, core_->date, keep_alive, request.version() == 10, request.method() == Verb::head);
  asio::async_write(socket_, asio::buffer(out_),
                    [self = shared_from_this()](const Error& error, std::size_t) {
                      self->core_->busy(-1);
                      if (self->state_ == State::closed) return;
                      if (error) return self->close();
                      self->answered();
                    });
}

void Session::answered() {
  if (!keep_alive_) return linger();
  if (core_->stopping) return close();
  next_request();
}

// Ends the sending side and reads on for a moment: closing with unread bytes would reset the connection and
// could take the answer away from the client.
void Session::linger() {
  if (state_ != State::lingering) {
    enter(State::lingering);
    Error ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(read_chunk),
                          [self = shared_from_this()](const Error& error, std::size_t n) {
                            if (self->state_ == State::closed) return;
                            self->discarded_ += n;
                            if (error || self->discarded_ > linger_bytes) return self->close();
                            self->linger();
                          });
}

void Session::check(Clock::time_point now) {
  if (now >= deadline_) close();
}

void Session::close_unless_busy() {
  if (state_ == State::idle || state_ == State::reading) close();
}

void Session::close() {
  if (state_ == State::closed) return;
  enter(State::closed);
  release_body_bytes();
  Error ignored;
  socket_.close(ignored);
  core_->forget(shared_from_this());
}

}  // namespace cfd::http
