#include <fmt/format.h>

#include "cfd/pubsub/v1/pubsub.grpc.pb.h"
#include "emulator/broker.hpp"
#include "emulator/grpc_support.hpp"
#include "emulator/services.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

/// The ids of a batch as a serialized PublishResponse.
grpc::ByteBuffer publish_response(const Batch& batch) {
  std::string response;
  response.reserve(batch.size() * 20);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const fmt::format_int id(batch.id(i));
    wire::append_bytes(response, 1, {id.data(), id.size()});
  }
  const grpc::Slice slice(response);
  return {&slice, 1};
}

/// Publish works on bytes: parsing messages into objects would cost more than everything else it does.
class PublisherService final
    : public v1::Publisher::WithRawCallbackMethod_Publish<v1::Publisher::CallbackService> {
 public:
  explicit PublisherService(Broker& broker) : broker_(broker) {}

  ServerUnaryReactor* Publish(CallbackServerContext* context, const grpc::ByteBuffer* request,
                              grpc::ByteBuffer* response) override {
    auto* const reactor = context->DefaultReactor();
    broker_.faults().apply("Publish", [this, reactor, request, response](const Fault& fault) {
      if (!fault.status.ok()) return reactor->Finish(to_grpc(fault.status));
      broker_.publish(
          Contiguous(*request).view(),
          [reactor, response](const Status& status, const BatchPtr& batch) {
            if (status.ok()) *response = publish_response(*batch);
            reactor->Finish(to_grpc(status));
          },
          fault.duplicate);
    });
    return reactor;
  }

  ServerUnaryReactor* CreateTopic(CallbackServerContext* context, const v1::Topic* request,
                                  v1::Topic* response) override {
    return answer(context, broker_, &Broker::create_topic, request, response);
  }
  ServerUnaryReactor* UpdateTopic(CallbackServerContext* context, const v1::UpdateTopicRequest* request,
                                  v1::Topic* response) override {
    return answer(context, broker_, &Broker::update_topic, request, response);
  }
  ServerUnaryReactor* GetTopic(CallbackServerContext* context, const v1::GetTopicRequest* request,
                               v1::Topic* response) override {
    return answer(context, broker_, &Broker::get_topic, request, response);
  }
  ServerUnaryReactor* ListTopics(CallbackServerContext* context, const v1::ListTopicsRequest* request,
                                 v1::ListTopicsResponse* response) override {
    return answer(context, broker_, &Broker::list_topics, request, response);
  }
  ServerUnaryReactor* ListTopicSubscriptions(CallbackServerContext* context,
                                             const v1::ListTopicSubscriptionsRequest* request,
                                             v1::ListTopicSubscriptionsResponse* response) override {
    return answer(context, broker_, &Broker::list_topic_subscriptions, request, response);
  }
  ServerUnaryReactor* ListTopicSnapshots(CallbackServerContext* context,
                                         const v1::ListTopicSnapshotsRequest* request,
                                         v1::ListTopicSnapshotsResponse* response) override {
    return answer(context, broker_, &Broker::list_topic_snapshots, request, response);
  }
  ServerUnaryReactor* DeleteTopic(CallbackServerContext* context, const v1::DeleteTopicRequest* request,
                                  Empty* response) override {
    return answer(context, broker_, &Broker::delete_topic, request, response);
  }
  ServerUnaryReactor* DetachSubscription(CallbackServerContext* context,
                                         const v1::DetachSubscriptionRequest* request,
                                         v1::DetachSubscriptionResponse* response) override {
    return answer(context, broker_, &Broker::detach_subscription, request, response);
  }

 private:
  Broker& broker_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_publisher_service(Broker& broker) {
  return std::make_unique<PublisherService>(broker);
}

}  // namespace cfd::emulator
