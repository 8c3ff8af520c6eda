#pragma once

/// \file
/// IAM policies: kept and given back, never enforced. A local server has no identities to check them against.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "emulator/status.hpp"
#include "emulator/store.hpp"

namespace cfd::iam::v1 {
class GetIamPolicyRequest;
class Policy;
class SetIamPolicyRequest;
class TestIamPermissionsRequest;
class TestIamPermissionsResponse;
}  // namespace cfd::iam::v1

namespace cfd::emulator {

/// Thread-safe.
class IamPolicies {
 public:
  /// `exists` says whether there is such a topic, subscription, snapshot or schema.
  explicit IamPolicies(std::function<bool(const std::string&)> exists);
  IamPolicies(const IamPolicies&) = delete;
  IamPolicies& operator=(const IamPolicies&) = delete;
  ~IamPolicies();

  /// As Schemas' of the same names.
  void set_store(Store* store);
  void when_durable(std::function<void(const Status&)> done);

  /// Forgets the policy of a resource that is no more.
  void forget(const std::string& resource);

  /// ABORTED where the policy carries the etag of an older one.
  Status set(const iam::v1::SetIamPolicyRequest& request, iam::v1::Policy& response);
  Status get(const iam::v1::GetIamPolicyRequest& request, iam::v1::Policy& response);
  /// Grants whatever is asked for.
  Status test(const iam::v1::TestIamPermissionsRequest& request,
              iam::v1::TestIamPermissionsResponse& response);

 private:
  std::function<bool(const std::string&)> exists_;
  Store* store_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<iam::v1::Policy>> policies_;
  std::uint64_t last_etag_ = 0;
};

}  // namespace cfd::emulator
