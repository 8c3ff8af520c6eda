#include "emulator/schemas.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cfd/pubsub/v1/schema.pb.h"
#include "emulator/names.hpp"
#include "emulator/resources.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

constexpr std::size_t max_definition = 300'000;
/// Revision ids are numbers above this one, in hexadecimal, so that all have one length and sort by age.
constexpr std::uint64_t first_revision = 0x10000000U;

Status parse_definition(const v1::Schema& schema, std::shared_ptr<const MessageSchema>& parsed) {
  if (schema.definition().empty()) return invalid_argument("the schema has no definition");
  if (schema.definition().size() > max_definition) {
    return invalid_argument(fmt::format("the definition has {} bytes; the limit is {}",
                                        schema.definition().size(), max_definition));
  }
  switch (schema.type()) {
    case v1::Schema::PROTOCOL_BUFFER:
      return parse_protobuf_schema(schema.definition(), parsed);
    case v1::Schema::AVRO:
      return parse_avro_schema(schema.definition(), parsed);
    default:
      return invalid_argument("the schema's type is neither AVRO nor PROTOCOL_BUFFER");
  }
}

/// What a revision is kept as.
std::string stored_name(const v1::Schema& revision) {
  return revision.name() + "@" + revision.revision_id();
}

Status check_data(const MessageSchema& schema, v1::Encoding encoding, std::string_view data) {
  switch (encoding) {
    case v1::JSON:
      return schema.check_json(data);
    case v1::BINARY:
      return schema.check_binary(data);
    default:
      return invalid_argument("the encoding is neither JSON nor BINARY");
  }
}

/// The field `data` of a serialized PubsubMessage.
std::string_view data_of(std::string_view message) {
  std::string_view data;
  wire::Reader reader(message);
  for (wire::Field field; reader.next(field);) {
    if (field.number == 1 && field.type == 2) data = field.bytes;
  }
  return data;
}

}  // namespace

struct Schemas::Revision {
  v1::Schema config;
  std::shared_ptr<const MessageSchema> schema;

  v1::Schema view(v1::SchemaView wanted) const {
    v1::Schema copy = config;
    if (wanted == v1::BASIC) copy.clear_definition();
    return copy;
  }
};

Schemas::Schemas(const Clock& clock) : clock_(clock) {}
Schemas::~Schemas() = default;

void Schemas::set_store(Store* store) {
  store_ = store;
  for (const auto& stored : store->database().resources(ResourceKind::schema)) {
    auto revision = std::make_shared<Revision>();
    if (!revision->config.ParseFromString(stored.config) ||
        !parse_definition(revision->config, revision->schema).ok())
      store->database().fail_unreadable(stored.name);
    auto& revisions = schemas_[revision->config.name()];
    if (revisions == nullptr) revisions = std::make_shared<Revisions>();
    const std::uint64_t number = std::stoull(revision->config.revision_id(), nullptr, 16) - first_revision;
    last_revision_ = std::max(last_revision_, number);
    revisions->push_back(std::move(revision));  // Their names sort them by age.
  }
}

void Schemas::when_durable(std::function<void(const Status&)> done) {
  if (store_ != nullptr)
    store_->when_durable(std::move(done));
  else
    done({});
}

Status Schemas::add_revision(const v1::Schema& schema, Revisions& revisions, v1::Schema& response) {
  auto revision = std::make_shared<Revision>();
  if (auto status = parse_definition(schema, revision->schema); !status.ok()) return status;
  revision->config = schema;
  revision->config.set_revision_id(fmt::format("{:08x}", first_revision + ++last_revision_));
  const auto now = clock_.now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  revision->config.mutable_revision_create_time()->set_seconds(seconds.count());
  revision->config.mutable_revision_create_time()->set_nanos(
      static_cast<std::int32_t>((now - seconds).count()));
  response = revision->config;
  if (store_ != nullptr)
    store_->put(ResourceKind::schema, {stored_name(response), response.SerializeAsString()});
  revisions.push_back(std::move(revision));
  return {};
}

/// `name` may end in @REVISION; without it the newest revision is meant.
Status Schemas::find(const std::string& name, std::string& plain_name,
                     std::shared_ptr<const Revision>& revision) const {
  const auto at = name.rfind('@');
  plain_name = name.substr(0, at);
  if (auto status = check_name(plain_name, Collection::schemas); !status.ok()) return status;
  const auto found = schemas_.find(plain_name);
  if (found == schemas_.end()) return not_found(name);
  if (at == std::string::npos) {
    revision = found->second->back();
    return {};
  }
  const auto& revisions = *found->second;
  const auto match = std::ranges::find(revisions, name.substr(at + 1),
                                       [](const auto& r) { return r->config.revision_id(); });
  if (match == revisions.end()) return not_found(name);
  revision = *match;
  return {};
}

Status Schemas::create(const v1::CreateSchemaRequest& request, v1::Schema& response) {
  if (auto status = check_project(request.parent()); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  v1::Schema schema = request.schema();
  const auto id =
      request.schema_id().empty() ? fmt::format("schema-{:x}", ++last_revision_) : request.schema_id();
  schema.set_name(request.parent() + "/schemas/" + id);
  if (auto status = check_name(schema.name(), Collection::schemas); !status.ok()) return status;
  if (schemas_.contains(schema.name())) return already_exists(schema.name());
  auto revisions = std::make_shared<Revisions>();
  if (auto status = add_revision(schema, *revisions, response); !status.ok()) return status;
  schemas_.emplace(schema.name(), std::move(revisions));
  return {};
}

Status Schemas::get(const v1::GetSchemaRequest& request, v1::Schema& response) {
  const std::lock_guard lock(mutex_);
  std::string name;
  std::shared_ptr<const Revision> revision;
  auto status = find(request.name(), name, revision);
  if (status.ok()) response = revision->view(request.view());
  return status;
}

Status Schemas::list(const v1::ListSchemasRequest& request, v1::ListSchemasResponse& response) {
  if (auto status = check_project(request.parent()); !status.ok()) return status;
  const auto prefix = request.parent() + "/";
  const std::lock_guard lock(mutex_);
  return list_page(
      schemas_, request.page_size(), request.page_token(),
      [&](const std::string& name, const Revisions&) { return name.starts_with(prefix); },
      [&](const std::string&, const Revisions& revisions) {
        *response.add_schemas() = revisions.back()->view(request.view() == v1::FULL ? v1::FULL : v1::BASIC);
      },
      response);
}

Status Schemas::list_revisions(const v1::ListSchemaRevisionsRequest& request,
                               v1::ListSchemaRevisionsResponse& response) {
  const std::lock_guard lock(mutex_);
  std::string name;
  std::shared_ptr<const Revision> newest;
  if (auto status = find(request.name(), name, newest); !status.ok()) return status;
  // Newest first; a revision's place in the list is its name in the map that list_page walks.
  std::map<std::string, std::shared_ptr<const Revision>> pages;
  const auto& revisions = *schemas_.find(name)->second;
  for (std::size_t i = 0; i < revisions.size(); ++i)
    pages.emplace(fmt::format("{:08}", revisions.size() - i), revisions[i]);
  return list_page(
      pages, request.page_size(), request.page_token(),
      [](const std::string&, const Revision&) { return true; },
      [&](const std::string&, const Revision& revision) {
        *response.add_schemas() = revision.view(request.view() == v1::FULL ? v1::FULL : v1::BASIC);
      },
      response);
}

Status Schemas::commit(const v1::CommitSchemaRequest& request, v1::Schema& response) {
  const std::lock_guard lock(mutex_);
  std::string name;
  std::shared_ptr<const Revision> newest;
  if (auto status = find(request.name(), name, newest); !status.ok()) return status;
  if (request.schema().type() != newest->config.type())
    return invalid_argument("a revision cannot change the schema's type");
  v1::Schema schema = request.schema();
  schema.set_name(name);
  return add_revision(schema, *schemas_.find(name)->second, response);
}

Status Schemas::rollback(const v1::RollbackSchemaRequest& request, v1::Schema& response) {
  const std::lock_guard lock(mutex_);
  std::string name;
  std::shared_ptr<const Revision> revision;
  if (auto status = find(request.name() + "@" + request.revision_id(), name, revision); !status.ok())
    return status;
  return add_revision(revision->config, *schemas_.find(name)->second, response);
}

Status Schemas::remove_revision(const v1::DeleteSchemaRevisionRequest& request, v1::Schema& response) {
  const std::lock_guard lock(mutex_);
  std::string name;
  std::shared_ptr<const Revision> revision;
  const bool in_name = request.name().find('@') != std::string::npos;
  if (auto status =
          find(in_name ? request.name() : request.name() + "@" + request.revision_id(), name, revision);
      !status.ok()) {
    return status;
  }
  auto& revisions = *schemas_.find(name)->second;
  if (revisions.size() == 1)
    return invalid_argument("a schema's only revision cannot be deleted; delete the schema");
  std::erase(revisions, revision);
  if (store_ != nullptr) store_->erase(ResourceKind::schema, stored_name(revision->config));
  response = revisions.back()->config;
  return {};
}

Status Schemas::remove(const v1::DeleteSchemaRequest& request, google::protobuf::Empty& /*response*/) {
  if (auto status = check_name(request.name(), Collection::schemas); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto found = schemas_.find(request.name());
  if (found == schemas_.end()) return not_found(request.name());
  if (store_ != nullptr) {
    for (const auto& revision : *found->second)
      store_->erase(ResourceKind::schema, stored_name(revision->config));
  }
  schemas_.erase(found);
  if (on_removed_) on_removed_(request.name());
  return {};
}

Status Schemas::validate(const v1::ValidateSchemaRequest& request, v1::ValidateSchemaResponse& /*response*/) {
  std::shared_ptr<const MessageSchema> parsed;
  return parse_definition(request.schema(), parsed);
}

Status Schemas::validate_message(const v1::ValidateMessageRequest& request,
                                 v1::ValidateMessageResponse& /*response*/) {
  std::shared_ptr<const MessageSchema> schema;
  if (request.has_schema()) {
    if (auto status = parse_definition(request.schema(), schema); !status.ok()) return status;
  } else {
    const std::lock_guard lock(mutex_);
    std::string name;
    std::shared_ptr<const Revision> revision;
    if (auto status = find(request.name(), name, revision); !status.ok()) return status;
    schema = revision->schema;
  }
  return check_data(*schema, request.encoding(), request.message());
}

Status Schemas::check_settings(const v1::Topic& topic) {
  const auto& settings = topic.schema_settings();
  if (settings.schema().empty()) return {};
  const std::lock_guard lock(mutex_);
  std::string name;
  std::shared_ptr<const Revision> revision;
  if (auto status = find(settings.schema(), name, revision); !status.ok()) return status;
  if (settings.encoding() != v1::ENCODING_UNSPECIFIED) return {};
  return invalid_argument("schema_settings.encoding is neither JSON nor BINARY");
}

/// A message is good if any revision from first_revision_id to last_revision_id takes it.
Status Schemas::check(const v1::Topic& topic, std::string_view message) {
  const auto& settings = topic.schema_settings();
  if (settings.schema().empty()) return {};
  Revisions candidates;
  {
    const std::lock_guard lock(mutex_);
    const auto found = schemas_.find(settings.schema());
    if (found == schemas_.end())
      return failed_precondition(fmt::format("the topic's schema {} was deleted", settings.schema()));
    candidates = *found->second;
  }
  const auto position = [&](const std::string& id) {
    return std::ranges::find(candidates, id, [](const auto& r) { return r->config.revision_id(); });
  };
  auto first =
      settings.first_revision_id().empty() ? candidates.begin() : position(settings.first_revision_id());
  auto last = settings.last_revision_id().empty() ? candidates.end() : position(settings.last_revision_id());
  if (first == candidates.end()) first = candidates.begin();
  if (last != candidates.end()) ++last;
  Status status = failed_precondition("the topic's schema has no revision in the range of its settings");
  while (last != first) {
    status = check_data(*(*--last)->schema, settings.encoding(), data_of(message));
    if (status.ok()) return status;
  }
  return status;
}

bool Schemas::exists(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return schemas_.contains(name);
}

}  // namespace cfd::emulator
