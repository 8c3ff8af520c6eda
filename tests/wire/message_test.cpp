// Whole messages as released versions published them: attributes and data. Each must be executed by this
// version, and what this version publishes for the same call must be the same. Files in v1/ are never edited;
// with CFD_WIRE_WRITE set, files that are missing are written.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>

#include "caller/session.hpp"
#include "codec/compression.hpp"
#include "execution/executor.hpp"
#include "transport/transport.hpp"

namespace {

struct Size {
  int width = 0;
  std::optional<double> ratio;
};

std::string executed;  // what ran last, with its arguments

const auto greet = cfd::dispatch(
    "wire.greet",
    [](int a, int b, std::string cheer = "hooray!") { executed = fmt::format("{} {} {}", a, b, cheer); },
    cfd::arg("a"), cfd::arg("b"), cfd::arg("cheer"));
const auto echo = cfd::dispatch("wire.echo", [](cfd::Args args, cfd::Kwargs kwargs) {
  executed = fmt::format("{} {}", cfd::to_string(args), cfd::to_string(kwargs));
});
const auto resize = cfd::dispatch("wire.resize", [](std::string id, std::vector<Size> sizes) {
  executed = fmt::format("{} {} {}", id, sizes.at(0).width, sizes.at(1).ratio.value());
});

/// A message in its file: a line `key: value` for each attribute, an empty line, and the data as it is.
struct Message {
  std::map<std::string, std::string> attributes;
  std::string data;

  std::string text() const {
    std::string out;
    for (const auto& [key, value] : attributes) out.append(key).append(": ").append(value).append("\n");
    return out.append("\n").append(data);
  }
};

std::filesystem::path path_of(const std::string& name) {
  return std::filesystem::path(CFD_WIRE_DIRECTORY) / (name + ".message");
}

Message read_message(const std::string& name) {
  std::ifstream file(path_of(name), std::ios::binary);
  EXPECT_TRUE(file) << path_of(name) << " is missing";
  Message message;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(": ");
    message.attributes[line.substr(0, colon)] = line.substr(colon + 2);
  }
  message.data.assign(std::istreambuf_iterator<char>(file), {});
  return message;
}

/// Keeps the one message that is published.
class Recorder final : public cfd::transport::Publisher {
 public:
  void publish(const cfd::transport::Outgoing& outgoing, cfd::detail::CallStatePtr call) override {
    message.data = outgoing.data;
    for (const auto& [key, value] : outgoing.attributes) message.attributes.emplace(key, value);
    call->confirm("1");
  }
  std::size_t flush(cfd::transport::Clock::time_point /*deadline*/) override { return 0; }
  std::size_t close(cfd::transport::Clock::time_point /*deadline*/) override { return 0; }

  Message message;
};

/// What `call` publishes, with fixed values for what differs from call to call and from build to build.
template <class Call>
Message published_by(Call call) {
  const auto recorder = std::make_shared<Recorder>();
  cfd::caller::replace_publisher(recorder);
  call();
  cfd::caller::replace_publisher(nullptr);
  Message message = recorder->message;
  message.attributes.at("call_id") = "0123456789abcdef0123456789abcdef";
  message.attributes["build"] = "0123456789abcdef";
  return message;
}

void expect_execution(const Message& message, const std::string& expected) {
  std::vector<cfd::Attribute> attributes;
  for (const auto& [key, value] : message.attributes) attributes.push_back({key, value});
  cfd::Event event;
  event.id = "1";
  event.data = message.data;
  event.attributes = attributes;
  executed.clear();
  const cfd::Outcome outcome = cfd::execution::run(event, "wire");
  EXPECT_EQ(outcome.verdict, cfd::Verdict::executed) << outcome.reason;
  EXPECT_EQ(executed, expected);
}

template <class Call>
Message check(const std::string& name, Call call, const std::string& expected) {
  Message written = published_by(call);
  if (!std::filesystem::exists(path_of(name)) && std::getenv("CFD_WIRE_WRITE") != nullptr)
    std::ofstream(path_of(name), std::ios::binary) << written.text();
  const Message golden = read_message(name);
  EXPECT_EQ(written.attributes, golden.attributes)
      << name << " is published differently from a released version";
  expect_execution(golden, expected);
  return written;
}

TEST(WireMessage, Positional) {
  const Message written = check(
      "positional", [] { greet(1, 2); }, "1 2 hooray!");
  EXPECT_EQ(written.data, read_message("positional").data);
}

TEST(WireMessage, Named) {
  const Message written = check(
      "named", [] { echo(1, "a", cfd::arg("x") = 7, cfd::arg("pi") = 3.25); },
      R"([1, "a"] {"x": 7, "pi": 3.25})");
  EXPECT_EQ(written.data, read_message("named").data);
}

TEST(WireMessage, Aggregates) {
  const Message written = check(
      "aggregates",
      [] {
        resize("cat", std::vector{Size{640, {}}, Size{320, 1.5}});
      },
      "cat 640 1.5");
  EXPECT_EQ(written.data, read_message("aggregates").data);
}

TEST(WireMessage, Compressed) {
  // Which bytes zstd writes is its own affair, and changes with its version; what comes out of them is not.
  const std::string cheer(5000, 'x');
  const Message written = check(
      "zstd", [&] { greet(1, 2, cheer); }, "1 2 " + cheer);
  std::string now;
  std::string then;
  EXPECT_EQ(cfd::codec::decompress("zstd", written.data, 10'000, now), "");
  EXPECT_EQ(cfd::codec::decompress("zstd", read_message("zstd").data, 10'000, then), "");
  EXPECT_EQ(now, then);
}

// Messages that other programs publish, and this library does not.
TEST(WireMessage, FromElsewhere) {
  expect_execution(read_message("gzip"), "1 2 " + std::string(500, 'x'));
  expect_execution(read_message("json"), "1 2 yay");
  expect_execution(read_message("json_typed"), "3 4 hooray!");
  expect_execution(read_message("attribute_unknown"), "1 2 hooray!");
}

}  // namespace
