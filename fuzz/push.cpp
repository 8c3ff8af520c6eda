// The body of a push request.

#include <cstdint>
#include <cstdlib>

#include "http/push_body.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string body(reinterpret_cast<const char*>(data), size);
  cfd::http::Delivery delivery;
  const std::string error = cfd::http::parse_push(body, delivery);
  if (error.find('\n') != std::string::npos) std::abort();
  return 0;
}
