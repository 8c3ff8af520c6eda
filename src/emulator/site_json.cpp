// The figures and messages of the page, as JSON.
#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "emulator/broker.hpp"
#include "emulator/preview.hpp"
#include "emulator/push_request.hpp"
#include "emulator/site.hpp"

namespace cfd::emulator {

namespace {

namespace json = boost::json;

std::string zoned(Time time) {
  return format_time(time) + "Z";
}

std::string_view name_of(Step step) {
  switch (step) {
    case Step::delivered:
      return "delivered";
    case Step::acknowledged:
      return "acknowledged";
    case Step::push_refused:
      return "push refused";
    case Step::nacked:
      return "nacked";
    case Step::deadline_passed:
      return "deadline passed";
    case Step::dead_lettered:
      return "dead-lettered";
    case Step::filtered:
      return "filtered out";
    case Step::expired:
      return "expired";
  }
  return "?";
}

json::object to_json(const Preview& preview) {
  json::object attributes;
  for (const auto& [key, value] : preview.attributes) attributes[key] = value;
  json::object made{{"size", preview.size}, {"attributes", std::move(attributes)}};
  if (!preview.call.empty())
    made["call"] = preview.call;
  else
    made["text"] = preview.text;
  if (preview.binary) made["binary"] = true;
  if (preview.truncated) made["truncated"] = true;
  if (!preview.ordering_key.empty()) made["orderingKey"] = preview.ordering_key;
  return made;
}

using Steps = std::unordered_map<std::uint64_t, std::vector<StepRecord>>;

Steps steps_by_message(const std::vector<StepRecord>& records) {
  Steps steps;
  for (const auto& record : records) steps[record.message].push_back(record);
  return steps;
}

using Names = std::unordered_map<std::uint32_t, std::string>;

Names subscription_names(const Broker& broker) {
  Names names;
  for (auto& view : broker.view_subscriptions()) names.emplace(view.uid, std::move(view.name));
  return names;
}

json::array to_json(const std::vector<StepRecord>& steps, const Names& names) {
  json::array made;
  for (const auto& step : steps) {
    const auto name = names.find(step.subscription);
    json::object entry{{"time", zoned(step.time)},
                       {"step", name_of(step.step)},
                       {"subscription", name == names.end() ? "a deleted subscription" : name->second}};
    if (step.step == Step::delivered)
      entry["consumer"] = step.detail;
    else if (step.step == Step::push_refused)
      entry["status"] = step.detail;
    else if (step.detail != 0)
      entry["attempts"] = step.detail;
    made.push_back(std::move(entry));
  }
  return made;
}

/// What is held of one message.
struct Held {
  std::uint64_t id = 0;
  std::string_view topic;
  MessageRef content;  ///< no batch where it is no longer held
};

/// The newest messages that were published or that something happened to, by their ids.
std::vector<Held> latest(const std::vector<PublishedBatch>& batches, const std::vector<StepRecord>& records,
                         std::size_t limit) {
  std::map<std::uint64_t, Held, std::greater<>> found;
  for (auto batch = batches.rbegin(); batch != batches.rend() && found.size() < limit; ++batch) {
    for (auto i = batch->batch->size(); i > 0 && found.size() < limit; --i) {
      const MessageRef content{batch->batch, static_cast<std::uint32_t>(i - 1)};
      found.try_emplace(content.id(), Held{content.id(), batch->topic, content});
    }
  }
  for (auto record = records.rbegin(); record != records.rend() && found.size() < limit; ++record)
    found.try_emplace(record->message, Held{record->message, {}, {}});
  std::vector<Held> messages;
  for (auto& [id, held] : found) messages.push_back(std::move(held));
  return messages;
}

/// How its deliveries ended, as far as it is known.
std::string reason_of(const DeadLetter& letter, const Steps& steps) {
  std::size_t nacked = 0;
  std::size_t passed = 0;
  std::optional<std::uint32_t> status;  // of the last push
  if (const auto found = steps.find(letter.message); found != steps.end()) {
    for (const auto& record : found->second) {
      if (record.subscription != letter.subscription_uid) continue;
      nacked += record.step == Step::nacked ? 1 : 0;
      passed += record.step == Step::deadline_passed ? 1 : 0;
      if (record.step == Step::push_refused) status = record.detail;
    }
  }
  const auto times = [](std::size_t count) { return count == 1 ? "once" : fmt::format("{} times", count); };
  if (status && *status == 0)
    return fmt::format("pushed {}, at last without an answer", times(letter.attempts));
  if (status) return fmt::format("pushed {}, at last answered {}", times(letter.attempts), *status);
  if (nacked + passed < letter.attempts) return "failed " + times(letter.attempts);
  if (passed == 0) return "nacked " + times(nacked);
  if (nacked == 0) return "its deadline passed " + times(passed);
  return fmt::format("nacked {}, its deadline passed {}", times(nacked), times(passed));
}

}  // namespace

std::string state_json(const Broker& broker) {
  json::array topics;
  for (const auto& topic : broker.view_topics())
    topics.push_back({{"name", topic.name}, {"published", topic.published}});
  json::array subscriptions;
  for (const auto& view : broker.view_subscriptions()) {
    const auto& stats = view.stats;
    json::object entry{{"name", view.name},
                       {"topic", view.topic},
                       {"push", view.push_endpoint},
                       {"filter", view.filter},
                       {"deadLetterTopic", view.dead_letter_topic},
                       {"backlog", stats.backlog},
                       {"outstanding", stats.outstanding},
                       {"delivered", stats.delivered},
                       {"acknowledged", stats.acknowledged},
                       {"failed", stats.failed},
                       {"deadLettered", stats.dead_lettered}};
    if (stats.oldest) entry["oldest"] = zoned(*stats.oldest);
    subscriptions.push_back(std::move(entry));
  }
  return json::serialize(
      json::object{{"topics", std::move(topics)}, {"subscriptions", std::move(subscriptions)}});
}

std::string messages_json(const Broker& broker, std::size_t limit) {
  const auto batches = broker.log().batches();
  const auto records = broker.log().records();
  const auto names = subscription_names(broker);
  const auto steps = steps_by_message(records);
  json::array messages;
  for (const auto& held : latest(batches, records, limit)) {
    json::object entry;
    if (held.content.batch != nullptr) {
      entry = to_json(preview_of(held.content.wire()));
      entry["topic"] = held.topic;
      entry["time"] = zoned(held.content.batch->publish_time());
    }
    entry["id"] = std::to_string(held.id);
    const auto found = steps.find(held.id);
    entry["steps"] = found == steps.end() ? json::array{} : to_json(found->second, names);
    messages.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"messages", std::move(messages)}});
}

std::string message_json(const Broker& broker, std::uint64_t id) {
  const auto whole = [&](const MessageRef& content) {
    auto entry = to_json(preview_of(content.wire()));
    entry["data"] = to_base64(data_of(content.wire()));
    entry["id"] = std::to_string(id);
    return json::serialize(entry);
  };
  for (const auto& [topic, batch] : broker.log().batches()) {
    if (id >= batch->id(0) && id < batch->id(batch->size()))
      return whole({batch, static_cast<std::uint32_t>(id - batch->id(0))});
  }
  for (const auto& letter : broker.log().dead_letters()) {
    if (letter.copy == id && letter.content.batch != nullptr) return whole(letter.content);
  }
  return {};
}

std::string dead_letters_json(const Broker& broker) {
  constexpr std::size_t shown = 100;
  const auto letters = broker.log().dead_letters();
  const auto steps = steps_by_message(broker.log().records());
  json::array made;
  for (auto letter = letters.rbegin(); letter != letters.rend() && made.size() < shown; ++letter) {
    json::object entry;
    if (letter->content.batch != nullptr) entry = to_json(preview_of(letter->content.wire()));
    entry["id"] = std::to_string(letter->message);
    entry["copy"] = std::to_string(letter->copy);
    entry["subscription"] = letter->subscription;
    entry["sourceTopic"] = letter->source_topic;
    entry["topic"] = letter->topic;
    entry["attempts"] = letter->attempts;
    entry["time"] = zoned(letter->time);
    entry["reason"] = reason_of(*letter, steps);
    made.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"deadLetters", std::move(made)}});
}

}  // namespace cfd::emulator
