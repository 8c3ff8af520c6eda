#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "emulator/broker.hpp"
#include "emulator/grpc_support.hpp"
#include "emulator/pull.hpp"
#include "emulator/services.hpp"

namespace cfd::emulator {

namespace {

using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

/// The calls that carry messages work on bytes, which are already in the form in which they travel; the
/// others on objects. The generated CallbackService, all on objects, cannot be had with a raw stream on top:
/// their types clash.
using S = v1::Subscriber;
using Raw = S::WithRawCallbackMethod_StreamingPull<S::WithRawCallbackMethod_Pull<S::Service>>;
using Consuming = S::WithCallbackMethod_Acknowledge<
    S::WithCallbackMethod_ModifyAckDeadline<S::WithCallbackMethod_Seek<Raw>>>;
using Reading = S::WithCallbackMethod_GetSubscription<S::WithCallbackMethod_ListSubscriptions<
    S::WithCallbackMethod_GetSnapshot<S::WithCallbackMethod_ListSnapshots<Consuming>>>>;
using Subscriptions = S::WithCallbackMethod_CreateSubscription<S::WithCallbackMethod_UpdateSubscription<
    S::WithCallbackMethod_DeleteSubscription<S::WithCallbackMethod_ModifyPushConfig<Reading>>>>;
using Base = S::WithCallbackMethod_CreateSnapshot<
    S::WithCallbackMethod_UpdateSnapshot<S::WithCallbackMethod_DeleteSnapshot<Subscriptions>>>;

class SubscriberService final : public Base {
 public:
  explicit SubscriberService(Broker& broker) : broker_(broker) {}

  ServerUnaryReactor* Pull(CallbackServerContext* /*context*/, const grpc::ByteBuffer* request,
                           grpc::ByteBuffer* response) override {
    return start_pull(broker_, *request, *response);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamingPull(
      CallbackServerContext* /*context*/) override {
    return start_streaming_pull(broker_);
  }

  ServerUnaryReactor* CreateSubscription(CallbackServerContext* context, const v1::Subscription* request,
                                         v1::Subscription* response) override {
    return answer(context, broker_, &Broker::create_subscription, request, response);
  }
  ServerUnaryReactor* GetSubscription(CallbackServerContext* context,
                                      const v1::GetSubscriptionRequest* request,
                                      v1::Subscription* response) override {
    return answer(context, broker_, &Broker::get_subscription, request, response);
  }
  ServerUnaryReactor* UpdateSubscription(CallbackServerContext* context,
                                         const v1::UpdateSubscriptionRequest* request,
                                         v1::Subscription* response) override {
    return answer(context, broker_, &Broker::update_subscription, request, response);
  }
  ServerUnaryReactor* ListSubscriptions(CallbackServerContext* context,
                                        const v1::ListSubscriptionsRequest* request,
                                        v1::ListSubscriptionsResponse* response) override {
    return answer(context, broker_, &Broker::list_subscriptions, request, response);
  }
  ServerUnaryReactor* DeleteSubscription(CallbackServerContext* context,
                                         const v1::DeleteSubscriptionRequest* request,
                                         Empty* response) override {
    return answer(context, broker_, &Broker::delete_subscription, request, response);
  }
  ServerUnaryReactor* ModifyAckDeadline(CallbackServerContext* context,
                                        const v1::ModifyAckDeadlineRequest* request,
                                        Empty* response) override {
    return answer_with_faults(context, broker_, "ModifyAckDeadline", &Broker::modify_ack_deadline, request,
                              response);
  }
  ServerUnaryReactor* Acknowledge(CallbackServerContext* context, const v1::AcknowledgeRequest* request,
                                  Empty* response) override {
    return answer_with_faults(context, broker_, "Acknowledge", &Broker::acknowledge, request, response);
  }
  ServerUnaryReactor* ModifyPushConfig(CallbackServerContext* context,
                                       const v1::ModifyPushConfigRequest* request, Empty* response) override {
    return answer(context, broker_, &Broker::modify_push_config, request, response);
  }
  ServerUnaryReactor* GetSnapshot(CallbackServerContext* context, const v1::GetSnapshotRequest* request,
                                  v1::Snapshot* response) override {
    return answer(context, broker_, &Broker::get_snapshot, request, response);
  }
  ServerUnaryReactor* ListSnapshots(CallbackServerContext* context, const v1::ListSnapshotsRequest* request,
                                    v1::ListSnapshotsResponse* response) override {
    return answer(context, broker_, &Broker::list_snapshots, request, response);
  }
  ServerUnaryReactor* CreateSnapshot(CallbackServerContext* context, const v1::CreateSnapshotRequest* request,
                                     v1::Snapshot* response) override {
    return answer(context, broker_, &Broker::create_snapshot, request, response);
  }
  ServerUnaryReactor* UpdateSnapshot(CallbackServerContext* context, const v1::UpdateSnapshotRequest* request,
                                     v1::Snapshot* response) override {
    return answer(context, broker_, &Broker::update_snapshot, request, response);
  }
  ServerUnaryReactor* DeleteSnapshot(CallbackServerContext* context, const v1::DeleteSnapshotRequest* request,
                                     Empty* response) override {
    return answer(context, broker_, &Broker::delete_snapshot, request, response);
  }
  ServerUnaryReactor* Seek(CallbackServerContext* context, const v1::SeekRequest* request,
                           v1::SeekResponse* response) override {
    return answer(context, broker_, &Broker::seek, request, response);
  }

 private:
  Broker& broker_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_subscriber_service(Broker& broker) {
  return std::make_unique<SubscriberService>(broker);
}

}  // namespace cfd::emulator
