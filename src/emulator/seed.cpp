#include "emulator/seed.hpp"

#include <fstream>
#include <future>

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <cfd/error.hpp>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/broker.hpp"
#include "emulator/names.hpp"

namespace cfd::emulator {

namespace {

/// 10 MB of data in base64, attributes, and some.
constexpr std::size_t max_line = std::size_t{16} << 20U;

/// A line is a PublishRequest with one message instead of many.
v1::PublishRequest parse_line(const std::string& line, const std::string& project) {
  // Both names are those of fields; the protobuf library does the rest.
  google::protobuf::Struct fields;
  if (const auto status = google::protobuf::util::JsonStringToMessage(line, &fields); !status.ok())
    throw Error(std::string(status.message()));
  const auto& members = fields.fields();
  const auto topic = members.find("topic");
  const auto message = members.find("message");
  if (members.size() != 2 || topic == members.end() || message == members.end() ||
      topic->second.string_value().empty())
    throw Error(R"(expected {"topic": "...", "message": {...}})");
  v1::PublishRequest request;
  const auto& name = topic->second.string_value();
  request.set_topic(name.starts_with("projects/") ? name : full_name(project, Collection::topics, name));
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message->second, &json).ok())
    throw Error("the message cannot be read");
  const auto status = google::protobuf::util::JsonStringToMessage(json, request.add_messages());
  if (!status.ok()) throw Error(std::string(status.message()));
  return request;
}

void publish(const v1::PublishRequest& request, Broker& broker) {
  std::promise<Status> promise;
  broker.publish(request.SerializeAsString(),
                 [&](const Status& status, const BatchPtr&) { promise.set_value(status); });
  const auto status = promise.get_future().get();
  if (!status.ok()) throw Error(status.message);
}

/// The next line, without its end; false after the last. Throws cfd::Error where it is longer than any
/// message.
bool next_line(std::ifstream& file, std::string& line) {
  line.clear();
  char c = 0;
  while (file.get(c) && c != '\n') {
    if (line.size() == max_line)
      throw Error(fmt::format("it is longer than {} bytes, and no message is so large", max_line));
    line += c;
  }
  return !line.empty() || !file.eof();
}

}  // namespace

std::size_t publish_seed(const std::string& path, const std::string& project, Broker& broker) {
  std::ifstream file(path);
  if (!file) throw Error(fmt::format("{} cannot be read", path));
  std::size_t published = 0;
  std::size_t number = 0;
  std::string line;
  while (true) {
    ++number;
    try {
      if (!next_line(file, line)) return published;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      publish(parse_line(line, project), broker);
    } catch (const Error& error) {
      throw Error(fmt::format("{}, line {}: {}", path, number, error.what()));
    }
    ++published;
  }
}

}  // namespace cfd::emulator
