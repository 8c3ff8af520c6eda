#include "emulator/iam.hpp"

#include <fmt/format.h>

#include "cfd/iam/v1/iam_policy.pb.h"

namespace cfd::emulator {

namespace {

/// The etag of a resource that never had a policy.
constexpr const char* first_etag = "ACAB";

}  // namespace

IamPolicies::IamPolicies(std::function<bool(const std::string&)> exists) : exists_(std::move(exists)) {}
IamPolicies::~IamPolicies() = default;

Status IamPolicies::set(const iam::v1::SetIamPolicyRequest& request, iam::v1::Policy& response) {
  if (!exists_(request.resource())) return not_found(request.resource());
  const std::lock_guard lock(mutex_);
  auto& policy = policies_[request.resource()];
  const std::string current = policy == nullptr ? first_etag : policy->etag();
  if (!request.policy().etag().empty() && request.policy().etag() != current) {
    return {Code::aborted,
            "There were concurrent policy changes. Please retry the whole read-modify-write with backoff."};
  }
  policy = std::make_unique<iam::v1::Policy>(request.policy());
  policy->set_etag(fmt::format("{:08x}", ++last_etag_));
  response = *policy;
  return {};
}

Status IamPolicies::get(const iam::v1::GetIamPolicyRequest& request, iam::v1::Policy& response) {
  if (!exists_(request.resource())) return not_found(request.resource());
  const std::lock_guard lock(mutex_);
  const auto found = policies_.find(request.resource());
  if (found != policies_.end() && found->second != nullptr)
    response = *found->second;
  else
    response.set_etag(first_etag);
  return {};
}

Status IamPolicies::test(const iam::v1::TestIamPermissionsRequest& request,
                         iam::v1::TestIamPermissionsResponse& response) {
  if (!exists_(request.resource())) return not_found(request.resource());
  *response.mutable_permissions() = request.permissions();
  return {};
}

}  // namespace cfd::emulator
