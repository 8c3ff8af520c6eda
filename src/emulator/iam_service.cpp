#include "cfd/iam/v1/iam_policy.grpc.pb.h"
#include "emulator/grpc_support.hpp"
#include "emulator/iam.hpp"
#include "emulator/services.hpp"

namespace cfd::emulator {

namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class IamService final : public iam::v1::IAMPolicy::CallbackService {
 public:
  explicit IamService(IamPolicies& policies) : policies_(policies) {}

  ServerUnaryReactor* SetIamPolicy(CallbackServerContext* context,
                                   const iam::v1::SetIamPolicyRequest* request,
                                   iam::v1::Policy* response) override {
    return answer(context, policies_, &IamPolicies::set, request, response);
  }
  ServerUnaryReactor* GetIamPolicy(CallbackServerContext* context,
                                   const iam::v1::GetIamPolicyRequest* request,
                                   iam::v1::Policy* response) override {
    return answer(context, policies_, &IamPolicies::get, request, response);
  }
  ServerUnaryReactor* TestIamPermissions(CallbackServerContext* context,
                                         const iam::v1::TestIamPermissionsRequest* request,
                                         iam::v1::TestIamPermissionsResponse* response) override {
    return answer(context, policies_, &IamPolicies::test, request, response);
  }

 private:
  IamPolicies& policies_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_iam_service(IamPolicies& policies) {
  return std::make_unique<IamService>(policies);
}

}  // namespace cfd::emulator
