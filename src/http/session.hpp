#pragma once

/// \file
/// One connection: reads requests one after the other, has them executed, answers them in order.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/core.hpp"
#include "http/delivery.hpp"
#include "http/response.hpp"

namespace cfd::http {

/// Belongs to the I/O thread; only run() is called on a function thread, between submission and
/// Core::completed.
class Session final : public Task, public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, std::shared_ptr<Core> core);

  void start();
  void run() noexcept override;  ///< executes the request read
  void resume();                 ///< answers it
  void abandon();                ///< answers it with 503: no thread began it
  void check(
      std::chrono::steady_clock::time_point now);  ///< closes the connection where its deadline is past
  void close_unless_busy();                        ///< at the start of a stop
  void close();

 private:
  enum class State : std::uint8_t { idle, reading, executing, writing, lingering, closed };
  using Clock = std::chrono::steady_clock;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void enter(State state);
  void read();
  void parse();
  bool accept_header();
  void execute();
  unsigned refuse();
  void dispatch();
  void respond(const Response& response);
  void answer(const Response& response, bool keep_alive);
  void answered();
  void next_request();
  void linger();
  void hold_body_bytes();
  void release_body_bytes();

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<Core> core_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::vector<Header> headers_;
  Delivery delivery_;
  Response response_;
  std::string out_;
  Clock::time_point deadline_;
  std::size_t held_ = 0;       // of Core::body_bytes
  std::size_t discarded_ = 0;  // while lingering
  State state_ = State::idle;
  bool header_seen_ = false;
  bool keep_alive_ = false;
};

}  // namespace cfd::http
