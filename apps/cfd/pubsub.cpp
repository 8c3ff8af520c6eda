#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "client.hpp"
#include "commands.hpp"
#include "resource_names.hpp"

namespace cfd::command {

namespace {

namespace v1 = pubsub::v1;
using google::protobuf::Empty;

/// What every one of these verbs takes.
struct Target {
  std::string host;
  std::string project;
  std::string name;

  std::string full(std::string_view kind) const { return full_name(project_or_default(project), kind, name); }
  std::string project_name() const { return "projects/" + project_or_default(project); }
};

std::shared_ptr<Target> add_target(CLI::App* command) {
  auto target = std::make_shared<Target>();
  command->add_option("--host", target->host, "Server as host:port (default: $PUBSUB_EMULATOR_HOST)");
  command->add_option("--project", target->project,
                      "Project of names given short (default: $GCP_PROJECT or my-project)");
  return target;
}

void add_topic_verbs(CLI::App& app) {
  auto* topic = app.add_subcommand("topic", "Create, list and delete topics")->require_subcommand(1);

  auto* create = topic->add_subcommand("create", "Create a topic");
  auto target = add_target(create);
  create->add_option("name", target->name, "Name of the topic")->required();
  create->callback([target] {
    Client client(target->host);
    v1::Topic request;
    request.set_name(target->full("topics"));
    fmt::print("created {}\n",
               client.call(client.publisher(), &v1::Publisher::Stub::CreateTopic, request).name());
  });

  auto* list = topic->add_subcommand("list", "List the topics of a project");
  target = add_target(list);
  list->callback([target] {
    Client client(target->host);
    v1::ListTopicsRequest request;
    request.set_project(target->project_name());
    do {
      const auto page = client.call(client.publisher(), &v1::Publisher::Stub::ListTopics, request);
      for (const auto& found : page.topics()) fmt::print("{}\n", found.name());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
  });

  auto* remove = topic->add_subcommand("delete", "Delete a topic; its subscriptions keep what they have");
  target = add_target(remove);
  remove->add_option("name", target->name, "Name of the topic")->required();
  remove->callback([target] {
    Client client(target->host);
    v1::DeleteTopicRequest request;
    request.set_topic(target->full("topics"));
    client.call(client.publisher(), &v1::Publisher::Stub::DeleteTopic, request);
    fmt::print("deleted {}\n", request.topic());
  });
}

struct SubscriptionOptions {
  std::string topic, push_endpoint, filter, dead_letter_topic;
  int ack_deadline = 10;
  int max_delivery_attempts = 5;
  bool ordered = false;
  bool exactly_once = false;
};

void create_subscription(const Target& target, const SubscriptionOptions& options) {
  const auto project = project_or_default(target.project);
  v1::Subscription request;
  request.set_name(target.full("subscriptions"));
  request.set_topic(full_name(project, "topics", options.topic));
  request.set_ack_deadline_seconds(options.ack_deadline);
  request.set_filter(options.filter);
  request.set_enable_message_ordering(options.ordered);
  request.set_enable_exactly_once_delivery(options.exactly_once);
  if (!options.push_endpoint.empty()) request.mutable_push_config()->set_push_endpoint(options.push_endpoint);
  if (!options.dead_letter_topic.empty()) {
    auto& policy = *request.mutable_dead_letter_policy();
    policy.set_dead_letter_topic(full_name(project, "topics", options.dead_letter_topic));
    policy.set_max_delivery_attempts(options.max_delivery_attempts);
  }
  Client client(target.host);
  fmt::print("created {}\n",
             client.call(client.subscriber(), &v1::Subscriber::Stub::CreateSubscription, request).name());
}

void add_subscription_create(CLI::App* subscription) {
  auto* create = subscription->add_subcommand("create", "Create a subscription");
  const auto target = add_target(create);
  const auto options = std::make_shared<SubscriptionOptions>();
  create->add_option("name", target->name, "Name of the subscription")->required();
  create->add_option("--topic", options->topic, "Topic to subscribe to")->required();
  create->add_option("--push-endpoint", options->push_endpoint,
                     "URL to push messages to; without it they are pulled");
  create->add_option("--ack-deadline", options->ack_deadline, "Seconds to acknowledge in, 10 to 600")
      ->capture_default_str();
  create->add_option("--filter", options->filter,
                     "Which messages, such as: hasPrefix(attributes.function, \"images.\")");
  create->add_option("--dead-letter-topic", options->dead_letter_topic,
                     "Where messages go that fail too often");
  create
      ->add_option("--max-delivery-attempts", options->max_delivery_attempts,
                   "How often is too often, 5 to 100")
      ->capture_default_str();
  create->add_flag("--enable-message-ordering", options->ordered,
                   "Deliver messages of one ordering key in order");
  create->add_flag("--enable-exactly-once-delivery", options->exactly_once, "Confirm acknowledgements");
  create->callback([target, options] { create_subscription(*target, *options); });
}

void add_subscription_verbs(CLI::App& app) {
  auto* subscription =
      app.add_subcommand("subscription", "Create, list and delete subscriptions")->require_subcommand(1);
  add_subscription_create(subscription);

  auto* list = subscription->add_subcommand("list", "List the subscriptions of a project");
  auto target = add_target(list);
  list->callback([target] {
    Client client(target->host);
    v1::ListSubscriptionsRequest request;
    request.set_project(target->project_name());
    do {
      const auto page = client.call(client.subscriber(), &v1::Subscriber::Stub::ListSubscriptions, request);
      for (const auto& found : page.subscriptions()) {
        const auto& push = found.push_config().push_endpoint();
        fmt::print("{} of {}{}{}\n", found.name(), found.topic(), push.empty() ? "" : " pushed to ", push);
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
  });

  auto* remove = subscription->add_subcommand("delete", "Delete a subscription and what it has");
  target = add_target(remove);
  remove->add_option("name", target->name, "Name of the subscription")->required();
  remove->callback([target] {
    Client client(target->host);
    v1::DeleteSubscriptionRequest request;
    request.set_subscription(target->full("subscriptions"));
    client.call(client.subscriber(), &v1::Subscriber::Stub::DeleteSubscription, request);
    fmt::print("deleted {}\n", request.subscription());
  });
}

void add_publish(CLI::App& app) {
  struct Message {
    std::string data, ordering_key;
    std::vector<std::string> attributes;
  };
  auto* command = app.add_subcommand("publish", "Publish a message");
  const auto target = add_target(command);
  const auto message = std::make_shared<Message>();
  command->add_option("topic", target->name, "Topic to publish to")->required();
  command->add_option("--data", message->data, "The message's data");
  command->add_option("--attribute", message->attributes, "An attribute, KEY=VALUE; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--ordering-key", message->ordering_key, "Messages of one key arrive in order");
  command->callback([target, message] {
    v1::PublishRequest request;
    request.set_topic(target->full("topics"));
    auto& content = *request.add_messages();
    content.set_data(message->data);
    content.set_ordering_key(message->ordering_key);
    for (const auto& attribute : message->attributes) {
      const auto equals = attribute.find('=');
      if (equals == 0 || equals == std::string::npos)
        throw Error("--attribute " + attribute + ": expected KEY=VALUE");
      (*content.mutable_attributes())[attribute.substr(0, equals)] = attribute.substr(equals + 1);
    }
    Client client(target->host);
    const auto response = client.call(client.publisher(), &v1::Publisher::Stub::Publish, request);
    fmt::print("{}\n", response.message_ids(0));
  });
}

void pull(const Target& target, int max_messages, bool keep) {
  Client client(target.host);
  v1::PullRequest request;
  request.set_subscription(target.full("subscriptions"));
  request.set_max_messages(max_messages);
  request.set_return_immediately(true);
  const auto response = client.call(client.subscriber(), &v1::Subscriber::Stub::Pull, request);
  if (response.received_messages().empty()) return;
  v1::AcknowledgeRequest acknowledge;
  acknowledge.set_subscription(request.subscription());
  for (const auto& received : response.received_messages()) {
    fmt::print("{} {}\n", received.message().message_id(), received.message().data());
    for (const auto& [key, value] : received.message().attributes()) fmt::print("  {}={}\n", key, value);
    acknowledge.add_ack_ids(received.ack_id());
  }
  std::fflush(stdout);  // Shown before it is acknowledged, or it could be lost.
  if (!keep) client.call(client.subscriber(), &v1::Subscriber::Stub::Acknowledge, acknowledge);
}

void add_pull(CLI::App& app) {
  auto* command = app.add_subcommand("pull", "Show the messages of a subscription, and acknowledge them");
  const auto target = add_target(command);
  const auto max_messages = std::make_shared<int>(10);
  const auto keep = std::make_shared<bool>(false);
  command->add_option("subscription", target->name, "Subscription to pull from")->required();
  command->add_option("--limit", *max_messages, "At most so many messages")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--no-ack", *keep, "Do not acknowledge; the messages come again after the deadline");
  command->callback([=] { pull(*target, *max_messages, *keep); });
}

}  // namespace

void add_pubsub(CLI::App& app) {
  add_topic_verbs(app);
  add_subscription_verbs(app);
  add_publish(app);
  add_pull(app);
}

}  // namespace cfd::command
