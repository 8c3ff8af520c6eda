#pragma once

/// \file
/// What a server's connections share. Kept alive by each of its threads, so that a function that does not end
/// in time harms nobody.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/pool.hpp"
#include "http/server.hpp"

namespace cfd::http {

class Session;

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(ServerOptions options, Server::Handler handler);

  /// Any thread: `session` has its outcome, and goes on on the I/O thread.
  void completed(std::shared_ptr<Session> session);

  const ServerOptions options;
  const Server::Handler handler;
  Pool pool;
  boost::asio::io_context io;

  // The rest belongs to the I/O thread.
  void accept();
  void sweep();
  void begin_stop();
  void close_all();
  void forget(const std::shared_ptr<Session>& session);

  boost::asio::ip::tcp::acceptor acceptor;
  boost::asio::steady_timer timer;
  std::unordered_set<std::shared_ptr<Session>> sessions;
  std::string date;            ///< for the Date field; refreshed by sweep()
  std::size_t body_bytes = 0;  ///< held by all sessions
  bool stopping = false;
  bool accepting = false;

  bool closed = false;  ///< nothing is begun any more, so that the I/O thread comes to its end

  /// How many requests are with the pool or being answered: a stop waits for them.
  void busy(int change);

  // Any thread.
  bool wait_until_idle(std::chrono::steady_clock::time_point deadline);
  std::stop_source stop_functions;

 private:
  void resume_completed();

  long busy_ = 0;

  std::mutex idle_mutex_;
  std::condition_variable idle_changed_;
  bool idle_ = false;  // only ever true once stopping

  std::mutex completed_mutex_;
  std::vector<std::shared_ptr<Session>> completed_;
};

}  // namespace cfd::http
