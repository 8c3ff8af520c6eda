#include "http/core.hpp"

#include <boost/asio/post.hpp>

#include "http/response.hpp"
#include "http/session.hpp"

namespace cfd::http {
namespace {

// How exactly timeouts are kept, and the age of the Date field.
constexpr std::chrono::milliseconds sweep_interval{250};

}  // namespace

Core::Core(ServerOptions given_options, Server::Handler given_handler)
    : options(std::move(given_options)),
      handler(std::move(given_handler)),
      pool(options.threads, options.queue != 0 ? options.queue : options.threads),
      io(1),
      acceptor(io),
      timer(io),
      date(http_date(std::chrono::system_clock::now())) {}

void Core::accept() {
  if (accepting || stopping || sessions.size() >= options.connections) return;
  accepting = true;
  acceptor.async_accept([self = shared_from_this()](const boost::system::error_code& error,
                                                    boost::asio::ip::tcp::socket socket) {
    self->accepting = false;
    if (self->stopping) return;
    // Out of descriptors, for one: sweep() tries again.
    if (error) return;
    auto session = std::make_shared<Session>(std::move(socket), self);
    self->sessions.insert(session);
    session->start();
    self->accept();
  });
}

void Core::sweep() {
  timer.expires_after(sweep_interval);
  timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->closed) return;
    const auto now = std::chrono::steady_clock::now();
    self->date = http_date(std::chrono::system_clock::now());
    // A copy, because a session that closes leaves the set.
    const std::vector<std::shared_ptr<Session>> all(self->sessions.begin(), self->sessions.end());
    for (const auto& session : all) session->check(now);
    self->accept();
    self->sweep();
  });
}

void Core::begin_stop() {
  stopping = true;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  for (const auto& task : pool.close()) std::static_pointer_cast<Session>(task)->abandon();
  const std::vector<std::shared_ptr<Session>> all(sessions.begin(), sessions.end());
  for (const auto& session : all) session->close_unless_busy();
  busy(0);
}

void Core::close_all() {
  closed = true;
  timer.cancel();
  const std::vector<std::shared_ptr<Session>> all(sessions.begin(), sessions.end());
  for (const auto& session : all) session->close();
}

void Core::forget(const std::shared_ptr<Session>& session) {
  sessions.erase(session);
  accept();
}

void Core::busy(int change) {
  busy_ += change;
  if (!stopping || busy_ != 0) return;
  const std::lock_guard lock(idle_mutex_);
  idle_ = true;
  idle_changed_.notify_all();
}

bool Core::wait_until_idle(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(idle_mutex_);
  return idle_changed_.wait_until(lock, deadline, [this] { return idle_; });
}

// Under load many sessions complete between two turns of the I/O thread, which is woken for the first alone.
void Core::completed(std::shared_ptr<Session> session) {
  bool first = false;
  {
    const std::lock_guard lock(completed_mutex_);
    first = completed_.empty();
    completed_.push_back(std::move(session));
  }
  if (first) boost::asio::post(io, [self = shared_from_this()] { self->resume_completed(); });
}

void Core::resume_completed() {
  std::vector<std::shared_ptr<Session>> ready;
  {
    const std::lock_guard lock(completed_mutex_);
    ready.swap(completed_);
  }
  for (const auto& session : ready) session->resume();
}

}  // namespace cfd::http
