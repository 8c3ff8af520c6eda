// The header and body of a request that brings messages: `name: value` lines, an empty line, the body.

#include "http/request.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<cfd::Header> headers;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) headers.push_back({line.substr(0, colon), line.substr(colon + 2)});
  }
  std::string body(rest);
  cfd::http::Delivery delivery;
  const std::string fault = cfd::http::parse_request(headers, body, delivery);
  if (fault.find('\n') != std::string::npos) std::abort();
  if (fault.empty() == delivery.messages.empty()) std::abort();
  // Every view must be of memory that is still there: the sanitizer sees each byte read.
  std::size_t bytes = 0;
  for (const cfd::http::Message& message : delivery.messages) {
    const cfd::Event& event = message.event;
    for (const std::string_view text :
         {event.id, event.publish_time, event.subscription, event.ordering_key, event.data, event.trace})
      for (const char c : text) bytes += static_cast<unsigned char>(c);
    for (const cfd::Attribute& attribute : event.attributes)
      for (const char c : attribute.value) bytes += static_cast<unsigned char>(c);
  }
  return bytes == SIZE_MAX ? 1 : 0;
}
