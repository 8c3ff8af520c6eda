// Plain JSON calls: what is accepted is valid MessagePack of the documented shape.

#include <cstdint>
#include <cstdlib>

#include <cfd/detail/target.hpp>

#include "codec/json_arguments.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cfd::codec::JsonCall call;
  const std::string error = cfd::codec::parse_json_call({reinterpret_cast<const char*>(data), size}, call);
  if (!error.empty()) return 0;
  cfd::detail::Reader reader(call.arguments, cfd::detail::Reader::Source::json);
  std::string_view whole;
  if (call.function.empty() || !reader.skip(whole) || !reader.at_end()) std::abort();
  return 0;
}
