#include "emulator/declaration.hpp"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/yaml.h>

#include <cfd/error.hpp>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/names.hpp"

namespace cfd::emulator {

namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds watch_interval{200};
constexpr int max_depth = 16;

json::value to_json(const YAML::Node& node, int depth = 0) {
  if (depth > max_depth) throw Error("it is nested too deeply");
  if (node.IsSequence()) {
    json::array array;
    for (const auto& item : node) array.push_back(to_json(item, depth + 1));
    return array;
  }
  if (node.IsMap()) {
    json::object object;
    for (const auto& member : node)
      object[member.first.as<std::string>()] = to_json(member.second, depth + 1);
    return object;
  }
  if (node.IsNull()) return nullptr;
  const auto text = node.as<std::string>();
  // A quoted scalar has the tag "!"; a plain one is a boolean or a number where it reads as one.
  if (node.Tag() != "!") {
    if (text == "true" || text == "false") return text == "true";
    if (std::int64_t number = 0; YAML::convert<std::int64_t>::decode(node, number)) return number;
  }
  return json::value(text);
}

std::string complete(const std::string& name, const std::string& project, Collection collection) {
  return name.starts_with("projects/") ? name : full_name(project, collection, name);
}

/// One entry, as the message of the API that it stands for.
template <typename Message>
Message parse_entry(const YAML::Node& node) {
  if (!node.IsMap() || !node["name"]) throw Error("an entry is a map with a name");
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json::serialize(to_json(node)), &message);
  if (!status.ok())
    throw Error(fmt::format("{}: {}", node["name"].as<std::string>(), std::string(status.message())));
  return message;
}

/// The fields that an entry gives, other than those that cannot change.
template <typename Message>
void fill_mask(const Message& message, std::initializer_list<std::string_view> fixed,
               google::protobuf::FieldMask& mask) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (std::ranges::find(fixed, field->name()) == fixed.end()) mask.add_paths(field->name());
  }
}

void require(const std::string& name, const Status& status) {
  if (!status.ok()) throw Error(fmt::format("{}: {}", name, status.message));
}

void apply_topic(v1::Topic topic, const std::string& project, Broker& broker) {
  topic.set_name(complete(topic.name(), project, Collection::topics));
  v1::Topic made;
  if (!broker.exists(topic.name())) return require(topic.name(), broker.create_topic(topic, made));
  v1::UpdateTopicRequest update;
  *update.mutable_topic() = topic;
  fill_mask(topic, {"name"}, *update.mutable_update_mask());
  if (!update.update_mask().paths().empty()) require(topic.name(), broker.update_topic(update, made));
}

void apply_subscription(v1::Subscription wanted, const std::string& project, Broker& broker) {
  wanted.set_name(complete(wanted.name(), project, Collection::subscriptions));
  wanted.set_topic(complete(wanted.topic(), project, Collection::topics));
  if (wanted.has_dead_letter_policy()) {
    auto& topic = *wanted.mutable_dead_letter_policy()->mutable_dead_letter_topic();
    topic = complete(topic, project, Collection::topics);
  }
  v1::Subscription made;
  if (!broker.exists(wanted.name())) return require(wanted.name(), broker.create_subscription(wanted, made));
  v1::UpdateSubscriptionRequest update;
  *update.mutable_subscription() = wanted;
  fill_mask(wanted, {"name", "topic", "filter", "enable_message_ordering"}, *update.mutable_update_mask());
  if (!update.update_mask().paths().empty()) require(wanted.name(), broker.update_subscription(update, made));
}

}  // namespace

void apply_declaration(const std::string& text, const std::string& project, Broker& broker) {
  try {
    const auto root = YAML::Load(text);
    if (!root.IsMap()) throw Error("expected a map with topics and subscriptions");
    for (const auto& member : root) {
      const auto key = member.first.as<std::string>();
      if (key != "project" && key != "topics" && key != "subscriptions") {
        throw Error(fmt::format("\"{}\" is none of project, topics and subscriptions", key));
      }
      // A key with nothing behind it is an empty list.
      if (key != "project" && !member.second.IsSequence() && !member.second.IsNull())
        throw Error(fmt::format("line {}: {} is no list of entries", member.second.Mark().line + 1, key));
    }
    const auto named = root["project"] ? root["project"].as<std::string>() : project;
    for (const auto& entry : root["topics"]) apply_topic(parse_entry<v1::Topic>(entry), named, broker);
    for (const auto& entry : root["subscriptions"]) {
      apply_subscription(parse_entry<v1::Subscription>(entry), named, broker);
    }
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("line {}: {}", error.mark.line + 1, error.msg));
  }
}

DeclarationFile::DeclarationFile(std::string path, std::string project, Broker& broker, Report report)
    : path_(std::move(path)), project_(std::move(project)), broker_(broker), report_(std::move(report)) {
  apply();
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void DeclarationFile::apply() const {
  std::ifstream file(path_);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Error(fmt::format("{} cannot be read", path_));
  try {
    apply_declaration(text.str(), project_, broker_);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path_, error.what()));
  }
}

void DeclarationFile::watch(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::error_code ignored;
  auto seen = std::filesystem::last_write_time(path_, ignored);
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, stop, watch_interval, [&] { return stop.stop_requested(); })) {
    const auto now = std::filesystem::last_write_time(path_, ignored);
    if (ignored || now == seen) continue;  // An editor may take the file away for a moment.
    seen = now;
    try {
      apply();
      report_({});
    } catch (const Error& error) {
      report_(error.what());
    }
  }
}

}  // namespace cfd::emulator
