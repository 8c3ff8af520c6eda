// A whole message, attributes and data, into functions of several signatures: it is executed, retried or
// rejected, with a reason of one line.

#include <cstdlib>

#include <cfd/dispatch.hpp>

#include "execution/executor.hpp"
#include "settings/settings.hpp"

namespace {

struct Point {
  int x = 0;
  double y = 0;
  std::vector<Point> more;
};

const auto typed = cfd::dispatch(
    "t", [](int, std::string, std::optional<Point>, double = 1) {}, cfd::arg("a"), cfd::arg("b"),
    cfd::arg("c"), cfd::arg("d"));
const auto any = cfd::dispatch("a", [](cfd::Args args, cfd::Kwargs kwargs) {
  if (to_string(args).empty() || to_string(kwargs).empty()) std::abort();
});
const auto bytes = cfd::dispatch("b", [](std::vector<std::byte>, std::map<int, std::string>) {});

/// Cuts a field that ends with a zero byte off the input.
std::string_view cut(std::string_view& input) {
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string_view field = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return field;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  cfd::settings::set(cfd::settings::Key::log_level, "off", cfd::settings::Origin::code);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view keys[] = {"function",         "cfd",  "signature", "content_type",
                                       "content_encoding", "build"};
  std::vector<cfd::Attribute> attributes;
  for (const auto key : keys)
    if (const auto value = cut(input); !value.empty()) attributes.push_back({key, value});
  cfd::Event event;
  event.id = "1";
  event.data = input;
  event.attributes = attributes;
  const cfd::Outcome outcome = cfd::execution::run(event, "fuzz");
  if ((outcome.verdict == cfd::Verdict::executed) != outcome.reason.empty()) std::abort();
  return 0;
}
