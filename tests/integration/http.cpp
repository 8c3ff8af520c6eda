#include "integration/http.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace cfd::integration {

namespace http = boost::beast::http;

Response answer_of(const std::string& port, Request request) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))});
  request.set(http::field::host, "worker");
  request.prepare_payload();
  http::write(socket, request);
  boost::beast::flat_buffer buffer;
  Response response;
  http::read(socket, buffer, response);
  return response;
}

std::string metrics_port_of(Process& worker) {
  constexpr std::string_view before = "metrics at ";
  constexpr std::string_view after = "/metrics";
  worker.wait_for(before);
  worker.wait_for(after);
  const std::string output = worker.output();
  const std::size_t end = output.find(after, output.find(before));
  const std::size_t colon = output.rfind(':', end);
  return output.substr(colon + 1, end - colon - 1);
}

Request post(std::string body) {
  Request request(http::verb::post, "/", 11);
  request.body() = std::move(body);
  return request;
}

}  // namespace cfd::integration
