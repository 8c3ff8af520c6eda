// The REST mapping of the SchemaService and of IAMPolicy.
#include <google/protobuf/empty.pb.h>

#include "cfd/iam/v1/iam_policy.pb.h"
#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/rest_request.hpp"

namespace cfd::emulator {

RestAnswer Rest::schemas(const Call& call) {
  const auto view = [&] {
    v1::SchemaView parsed = v1::SCHEMA_VIEW_UNSPECIFIED;
    v1::SchemaView_Parse(call.parameter("view"), &parsed);
    return parsed;
  };
  const auto set_name = [&](auto& request) { request.set_name(call.name); };
  const auto set_parent = [&](auto& request) { request.set_parent(call.name); };
  if (call.whole_collection) {
    if (call.is("POST")) {
      v1::CreateSchemaRequest request;
      if (const auto status = call.read(*request.mutable_schema()); !status.ok()) return rest_error(status);
      request.set_parent(call.name);
      request.set_schema_id(call.parameter("schemaId"));
      return invoke(schemas_, &Schemas::create, std::move(request));
    }
    if (call.is("POST", "validate")) return invoke_with_body(call, schemas_, &Schemas::validate, set_parent);
    if (call.is("POST", "validateMessage"))
      return invoke_with_body(call, schemas_, &Schemas::validate_message, set_parent);
    v1::ListSchemasRequest request;
    request.set_parent(call.name);
    request.set_view(view());
    if (call.is("GET")) return invoke(schemas_, &Schemas::list, call.page(request));
  } else if (call.is("GET")) {
    v1::GetSchemaRequest request;
    request.set_name(call.name);
    request.set_view(view());
    return invoke(schemas_, &Schemas::get, std::move(request));
  } else if (call.is("GET", "listRevisions")) {
    v1::ListSchemaRevisionsRequest request;
    request.set_name(call.name);
    request.set_view(view());
    return invoke(schemas_, &Schemas::list_revisions, call.page(request));
  } else if (call.is("DELETE")) {
    return invoke_with_body(call, schemas_, &Schemas::remove, set_name);
  } else if (call.is("DELETE", "deleteRevision")) {
    return invoke_with_body(call, schemas_, &Schemas::remove_revision, [&](auto& request) {
      request.set_name(call.name);
      request.set_revision_id(call.parameter("revisionId"));
    });
  } else if (call.is("POST", "commit")) {
    return invoke_with_body(call, schemas_, &Schemas::commit, set_name);
  } else if (call.is("POST", "rollback")) {
    return invoke_with_body(call, schemas_, &Schemas::rollback, set_name);
  }
  return rest_error({Code::not_found, "There is no such method of schemas."});
}

RestAnswer Rest::iam(const Call& call) {
  const auto set_resource = [&](auto& request) { request.set_resource(call.name); };
  if (call.is("GET", "getIamPolicy"))
    return invoke_with_body(call, policies_, &IamPolicies::get, set_resource);
  if (call.is("POST", "setIamPolicy"))
    return invoke_with_body(call, policies_, &IamPolicies::set, set_resource);
  if (call.is("POST", "testIamPermissions"))
    return invoke_with_body(call, policies_, &IamPolicies::test, set_resource);
  return rest_error({Code::not_found, "There is no such IAM method."});
}

}  // namespace cfd::emulator
