// A program with an HTTP server of its own, as small as can be, that hands each request to
// cfd::execute_event.
#include <fstream>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cfd/execute.hpp>

#include "integration/functions.hpp"

namespace {

namespace http = boost::beast::http;
using Tcp = boost::asio::ip::tcp;

std::string text(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

http::status status_of(cfd::Verdict verdict) {
  if (verdict == cfd::Verdict::executed) return http::status::no_content;
  return verdict == cfd::Verdict::retry ? http::status::service_unavailable
                                        : http::status::unprocessable_entity;
}

void serve(Tcp::socket& socket) {
  boost::beast::flat_buffer buffer;
  http::request_parser<http::string_body> parser;
  parser.body_limit(std::uint64_t{32} << 20U);  // a message of ten megabytes in base64, and some
  http::read(socket, buffer, parser);
  const http::request<http::string_body> request = parser.release();
  std::vector<std::pair<std::string, std::string>> kept;
  for (const auto& field : request) kept.emplace_back(text(field.name_string()), text(field.value()));
  std::vector<cfd::Header> headers;
  for (const auto& [name, value] : kept) headers.push_back({name, value});
  const cfd::Outcome outcome = cfd::execute_event(headers, request.body());
  http::write(socket, http::response<http::empty_body>(status_of(outcome.verdict), request.version()));
}

}  // namespace

/// The first argument is a file to write the port to.
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  boost::asio::io_context io;
  Tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
  {
    std::ofstream ready(std::string(argv[1]) + ".new");
    ready << acceptor.local_endpoint().port() << '\n';
  }
  std::rename((std::string(argv[1]) + ".new").c_str(), argv[1]);
  while (true) {
    Tcp::socket socket = acceptor.accept();
    boost::system::error_code gone;
    try {
      serve(socket);
    } catch (const boost::system::system_error&) {
      socket.close(gone);
    }
  }
}
