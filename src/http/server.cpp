#include "http/server.hpp"

#include <future>
#include <thread>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <cfd/error.hpp>

#include "http/core.hpp"

namespace cfd::http {
namespace {

// What functions get, once asked to stop, before they are left behind.
constexpr std::chrono::milliseconds stop_grace{500};

}  // namespace

struct Server::Impl {
  std::shared_ptr<Core> core;
  std::thread io_thread;
  std::uint16_t port = 0;
  bool all_ended = false;

  // Runs `action` on the I/O thread and waits for it.
  template <class F>
  void on_io_thread(F action) {
    std::promise<void> done;
    boost::asio::post(core->io, [&] {
      action();
      done.set_value();
    });
    done.get_future().wait();
  }
};

Server::Server(ServerOptions options, Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->core = std::make_shared<Core>(std::move(options), std::move(handler));
}

Server::~Server() {
  stop(std::chrono::steady_clock::now());
}

void Server::start() {
  Core& core = *impl_->core;
  const auto fail = [&core](const boost::system::error_code& error) {
    throw Error(
        fmt::format("cannot listen on {}:{}: {}", core.options.address, core.options.port, error.message()));
  };
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(core.options.address, error);
  if (error) fail(error);
  const boost::asio::ip::tcp::endpoint endpoint(address, core.options.port);
  core.acceptor.open(endpoint.protocol(), error);
  if (!error) core.acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error) core.acceptor.bind(endpoint, error);
  if (!error) core.acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) fail(error);
  impl_->port = core.acceptor.local_endpoint(error).port();
  if (error) fail(error);
  core.pool.start(impl_->core);
  core.accept();
  core.sweep();
  impl_->io_thread = std::thread([shared = impl_->core] { shared->io.run(); });
}

std::uint16_t Server::port() const noexcept {
  return impl_->port;
}

bool Server::stop(std::chrono::steady_clock::time_point deadline) {
  if (!impl_->io_thread.joinable()) return impl_->all_ended;
  Core& core = *impl_->core;
  impl_->on_io_thread([&core] { core.begin_stop(); });
  bool ended = core.wait_until_idle(deadline);
  if (!ended) {
    core.stop_functions.request_stop();
    ended = core.wait_until_idle(std::max(deadline, std::chrono::steady_clock::now()) + stop_grace);
  }
  impl_->on_io_thread([&core] { core.close_all(); });
  impl_->io_thread.join();
  if (ended)
    core.pool.join();
  else
    core.pool.detach();
  impl_->all_ended = ended;
  return ended;
}

}  // namespace cfd::http
