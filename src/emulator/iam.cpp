#include "emulator/iam.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cfd/iam/v1/iam_policy.pb.h"

namespace cfd::emulator {

namespace {

/// The etag of a resource that never had a policy.
constexpr const char* first_etag = "ACAB";

}  // namespace

IamPolicies::IamPolicies(std::function<bool(const std::string&)> exists) : exists_(std::move(exists)) {}
IamPolicies::~IamPolicies() = default;

void IamPolicies::set_store(Store* store) {
  store_ = store;
  for (const auto& stored : store->database().resources(ResourceKind::policy)) {
    auto policy = std::make_unique<iam::v1::Policy>();
    if (!policy->ParseFromString(stored.config)) store->database().fail_unreadable(stored.name);
    last_etag_ = std::max<std::uint64_t>(last_etag_, std::stoull(policy->etag(), nullptr, 16));
    policies_[stored.name] = std::move(policy);
  }
}

void IamPolicies::when_durable(std::function<void(const Status&)> done) {
  if (store_ != nullptr)
    store_->when_durable(std::move(done));
  else
    done({});
}

void IamPolicies::forget(const std::string& resource) {
  const std::lock_guard lock(mutex_);
  if (policies_.erase(resource) != 0 && store_ != nullptr) store_->erase(ResourceKind::policy, resource);
}

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
  if (store_ != nullptr) store_->put(ResourceKind::policy, {request.resource(), policy->SerializeAsString()});
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
