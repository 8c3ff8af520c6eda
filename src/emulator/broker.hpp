#pragma once

/// \file
/// The server's state and every operation on it, one member function an RPC. Knows protobuf's messages and no
/// network.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/faults.hpp"
#include "emulator/message.hpp"
#include "emulator/message_log.hpp"
#include "emulator/scheduler.hpp"
#include "emulator/status.hpp"
#include "emulator/store.hpp"
#include "emulator/subscription.hpp"
#include "emulator/topic.hpp"
#include "emulator/validation.hpp"

namespace google::protobuf {
class Empty;
}

namespace cfd::pubsub::v1 {
class AcknowledgeRequest;
class CreateSnapshotRequest;
class DeleteSnapshotRequest;
class DeleteSubscriptionRequest;
class DeleteTopicRequest;
class DetachSubscriptionRequest;
class DetachSubscriptionResponse;
class GetSnapshotRequest;
class GetSubscriptionRequest;
class GetTopicRequest;
class ListSnapshotsRequest;
class ListSnapshotsResponse;
class ListSubscriptionsRequest;
class ListSubscriptionsResponse;
class ListTopicSnapshotsRequest;
class ListTopicSnapshotsResponse;
class ListTopicSubscriptionsRequest;
class ListTopicSubscriptionsResponse;
class ListTopicsRequest;
class ListTopicsResponse;
class ModifyAckDeadlineRequest;
class ModifyPushConfigRequest;
class SeekRequest;
class SeekResponse;
class Snapshot;
class UpdateSnapshotRequest;
class UpdateSubscriptionRequest;
class UpdateTopicRequest;
}  // namespace cfd::pubsub::v1

namespace cfd::emulator {

using SubscriptionPtr = std::shared_ptr<Subscription>;

/// Told of every subscription's push configuration. Called with the broker's lock held: it must not call
/// back.
class PushControl {
 public:
  virtual ~PushControl() = default;
  /// Begins, changes or, where the push endpoint is empty, ends pushing.
  virtual void configure(const v1::Subscription& subscription, const SubscriptionPtr& queue) = 0;
  virtual void remove(const std::string& subscription) = 0;
};

/// Checks messages against the schema of their topic.
class MessageCheck {
 public:
  virtual ~MessageCheck() = default;
  /// Whether a topic may have these schema settings.
  virtual Status check_settings(const v1::Topic& topic) = 0;
  virtual Status check(const v1::Topic& topic, std::string_view message) = 0;
};

/// Thread-safe. Every operation returns a status, and fills its response only where that is OK.
class Broker {
 public:
  explicit Broker(Scheduler& scheduler);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// To be set, if at all, before the first operation. They must outlive it.
  void set_push_control(PushControl* control) { push_ = control; }
  void set_message_check(MessageCheck* check) { check_ = check; }

  /// Makes the broker durable from now on, and takes over what the store has kept. To be called, if at all,
  /// before the first operation and before Store::start(). The store must be stopped before the broker ends.
  void set_store(Store* store);

  /// Called with the name of each topic, subscription and snapshot that is deleted; to be set, if at all,
  /// before the first operation. Must not call back.
  void set_on_removed(std::function<void(const std::string&)> hook) { on_removed_ = std::move(hook); }

  /// Calls `done` once every change made so far is as durable as it gets, or with the reason why it cannot
  /// be. At once, on this thread, where nothing is under way.
  void when_durable(std::function<void(const Status&)> done);

  Status create_topic(const v1::Topic& request, v1::Topic& response);
  Status update_topic(const v1::UpdateTopicRequest& request, v1::Topic& response);
  Status get_topic(const v1::GetTopicRequest& request, v1::Topic& response);
  Status list_topics(const v1::ListTopicsRequest& request, v1::ListTopicsResponse& response);
  Status list_topic_subscriptions(const v1::ListTopicSubscriptionsRequest& request,
                                  v1::ListTopicSubscriptionsResponse& response);
  Status list_topic_snapshots(const v1::ListTopicSnapshotsRequest& request,
                              v1::ListTopicSnapshotsResponse& response);
  Status delete_topic(const v1::DeleteTopicRequest& request, google::protobuf::Empty& response);
  Status detach_subscription(const v1::DetachSubscriptionRequest& request,
                             v1::DetachSubscriptionResponse& response);

  /// Publishes a serialized PublishRequest. `done` is called once the messages are durable and delivered to
  /// the queues, with OK and what was published, or with the reason why not; on this thread, or on the
  /// store's. `duplicate` delivers everything twice, as a real service may.
  using PublishDone = std::function<void(const Status&, const BatchPtr&)>;
  void publish(std::string_view request, PublishDone done, bool duplicate = false);

  Status create_subscription(const v1::Subscription& request, v1::Subscription& response);
  Status get_subscription(const v1::GetSubscriptionRequest& request, v1::Subscription& response);
  Status update_subscription(const v1::UpdateSubscriptionRequest& request, v1::Subscription& response);
  Status list_subscriptions(const v1::ListSubscriptionsRequest& request,
                            v1::ListSubscriptionsResponse& response);
  Status delete_subscription(const v1::DeleteSubscriptionRequest& request, google::protobuf::Empty& response);
  Status modify_push_config(const v1::ModifyPushConfigRequest& request, google::protobuf::Empty& response);
  Status acknowledge(const v1::AcknowledgeRequest& request, google::protobuf::Empty& response);
  Status modify_ack_deadline(const v1::ModifyAckDeadlineRequest& request, google::protobuf::Empty& response);
  Status seek(const v1::SeekRequest& request, v1::SeekResponse& response);

  Status create_snapshot(const v1::CreateSnapshotRequest& request, v1::Snapshot& response);
  Status get_snapshot(const v1::GetSnapshotRequest& request, v1::Snapshot& response);
  Status update_snapshot(const v1::UpdateSnapshotRequest& request, v1::Snapshot& response);
  Status list_snapshots(const v1::ListSnapshotsRequest& request, v1::ListSnapshotsResponse& response);
  Status delete_snapshot(const v1::DeleteSnapshotRequest& request, google::protobuf::Empty& response);

  /// The queue to pull from: NOT_FOUND, or FAILED_PRECONDITION where it is detached or pushed.
  Status open_for_pull(std::string_view name, SubscriptionPtr& queue);

  /// Whether there is such a topic, subscription or snapshot.
  bool exists(std::string_view name) const;

  /// A moment's figures, for people.
  struct TopicView {
    std::string name;
    std::uint64_t published = 0;
  };
  struct SubscriptionView {
    std::uint32_t uid = 0;
    std::string name, topic, push_endpoint, filter, dead_letter_topic;
    QueueStats stats;
  };
  std::vector<TopicView> view_topics() const;
  std::vector<SubscriptionView> view_subscriptions() const;

  Scheduler& scheduler() noexcept { return scheduler_; }

  /// What happened to the latest messages.
  const MessageLog& log() const noexcept { return log_; }

  /// What is to go wrong, for tests of clients.
  Faults& faults() noexcept { return faults_; }

 private:
  struct TopicResource;
  struct SubscriptionResource;
  struct SnapshotResource;
  template <typename Resource>
  using Map = std::map<std::string, std::shared_ptr<Resource>, std::less<>>;

  QueueHooks hooks_for(const std::string& subscription, std::uint32_t uid);
  Status prepare_publish(std::string_view request, std::string& topic_name, std::shared_ptr<Topic>& topic,
                         BatchPtr& batch);
  bool dead_letter(const std::string& subscription, const MessageRef& message, std::uint32_t attempts);
  void publish_dead_letter(const std::string& topic_name, const std::shared_ptr<Topic>& topic,
                           const BatchPtr& batch);
  std::shared_ptr<SubscriptionResource> make_subscription(v1::Subscription config, std::uint32_t uid);
  std::shared_ptr<TopicResource> make_topic(v1::Topic config, std::uint32_t uid);
  void keep(const TopicResource& resource);
  void keep(const SubscriptionResource& resource);
  void keep(const SnapshotResource& resource);
  void recover_topic(const StoredResource& stored);
  void recover_subscription(const StoredResource& stored);
  void recover_snapshot(const StoredResource& stored);
  void arm_expiration(const std::shared_ptr<SnapshotResource>& resource);
  void forget_snapshot(const SnapshotResource& resource);
  void removed(const std::string& name) const;
  Status find_queue(std::string_view name, SubscriptionPtr& queue) const;
  Status check_dead_letter_topic(const v1::Subscription& subscription) const;
  void refresh_topic_retention(const std::string& topic);
  void remove_subscription(const std::shared_ptr<SubscriptionResource>& resource, Status reason);
  void arm_expiration(const SubscriptionResource& resource);
  void expire_when_idle(const std::string& subscription, std::uint32_t uid);
  std::string new_id(std::string_view prefix);

  Scheduler& scheduler_;
  Faults faults_{scheduler_};
  MessageLog log_;
  PushControl* push_ = nullptr;
  MessageCheck* check_ = nullptr;
  Store* store_ = nullptr;
  std::function<void(const std::string&)> on_removed_;
  std::atomic<std::uint64_t> next_message_id_;
  std::atomic<std::uint32_t> next_uid_{1};

  mutable std::shared_mutex mutex_;  // guards the maps and the resources in them, not the queues
  Map<TopicResource> topics_;
  Map<SubscriptionResource> subscriptions_;
  Map<SnapshotResource> snapshots_;
};

}  // namespace cfd::emulator
