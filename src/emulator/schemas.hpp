#pragma once

/// \file
/// Schemas with their revisions, and the check of messages against them.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "emulator/broker.hpp"
#include "emulator/message_schema.hpp"

namespace cfd::pubsub::v1 {
class CommitSchemaRequest;
class CreateSchemaRequest;
class DeleteSchemaRequest;
class DeleteSchemaRevisionRequest;
class GetSchemaRequest;
class ListSchemaRevisionsRequest;
class ListSchemaRevisionsResponse;
class ListSchemasRequest;
class ListSchemasResponse;
class RollbackSchemaRequest;
class Schema;
class ValidateMessageRequest;
class ValidateMessageResponse;
class ValidateSchemaRequest;
class ValidateSchemaResponse;
}  // namespace cfd::pubsub::v1

namespace cfd::emulator {

/// Thread-safe.
class Schemas final : public MessageCheck {
 public:
  explicit Schemas(const Clock& clock);

  /// Takes over what the store has, and keeps in it what comes. To be called, if at all, before the first
  /// operation and before Store::start().
  void set_store(Store* store);
  /// As Broker::when_durable.
  void when_durable(std::function<void(const Status&)> done);
  /// Called with the name of each schema that is deleted; to be set before the first operation.
  void set_on_removed(std::function<void(const std::string&)> hook) { on_removed_ = std::move(hook); }
  Schemas(const Schemas&) = delete;
  Schemas& operator=(const Schemas&) = delete;
  ~Schemas() override;

  Status create(const v1::CreateSchemaRequest& request, v1::Schema& response);
  Status get(const v1::GetSchemaRequest& request, v1::Schema& response);
  Status list(const v1::ListSchemasRequest& request, v1::ListSchemasResponse& response);
  Status list_revisions(const v1::ListSchemaRevisionsRequest& request,
                        v1::ListSchemaRevisionsResponse& response);
  Status commit(const v1::CommitSchemaRequest& request, v1::Schema& response);
  Status rollback(const v1::RollbackSchemaRequest& request, v1::Schema& response);
  Status remove_revision(const v1::DeleteSchemaRevisionRequest& request, v1::Schema& response);
  Status remove(const v1::DeleteSchemaRequest& request, google::protobuf::Empty& response);
  Status validate(const v1::ValidateSchemaRequest& request, v1::ValidateSchemaResponse& response);
  Status validate_message(const v1::ValidateMessageRequest& request, v1::ValidateMessageResponse& response);

  Status check_settings(const v1::Topic& topic) override;
  Status check(const v1::Topic& topic, std::string_view message) override;

  bool exists(const std::string& name) const;

 private:
  struct Revision;
  using Revisions = std::vector<std::shared_ptr<const Revision>>;  // oldest first

  Status add_revision(const v1::Schema& schema, Revisions& revisions, v1::Schema& response);
  Status find(const std::string& name, std::string& plain_name,
              std::shared_ptr<const Revision>& revision) const;

  const Clock& clock_;
  Store* store_ = nullptr;
  std::function<void(const std::string&)> on_removed_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Revisions>, std::less<>> schemas_;
  std::uint64_t last_revision_ = 0;
};

}  // namespace cfd::emulator
