#pragma once

/// \file
/// Requests to a program under test.

#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "integration/process.hpp"

namespace cfd::integration {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

/// The answer of what listens on `port` of this machine, over a connection of its own. Throws
/// boost::system::system_error.
Response answer_of(const std::string& port, Request request);

/// Where `worker`, which was started with --metrics-port 0, serves its metrics.
std::string metrics_port_of(Process& worker);

/// A POST of `body` to /.
Request post(std::string body);

}  // namespace cfd::integration
