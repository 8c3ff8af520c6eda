#include "cfd/pubsub/v1/schema.grpc.pb.h"
#include "emulator/grpc_support.hpp"
#include "emulator/schemas.hpp"
#include "emulator/services.hpp"

namespace cfd::emulator {

namespace {

using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class SchemaService final : public v1::SchemaService::CallbackService {
 public:
  explicit SchemaService(Schemas& schemas) : schemas_(schemas) {}

  ServerUnaryReactor* CreateSchema(CallbackServerContext* context, const v1::CreateSchemaRequest* request,
                                   v1::Schema* response) override {
    return answer(context, schemas_, &Schemas::create, request, response);
  }
  ServerUnaryReactor* GetSchema(CallbackServerContext* context, const v1::GetSchemaRequest* request,
                                v1::Schema* response) override {
    return answer(context, schemas_, &Schemas::get, request, response);
  }
  ServerUnaryReactor* ListSchemas(CallbackServerContext* context, const v1::ListSchemasRequest* request,
                                  v1::ListSchemasResponse* response) override {
    return answer(context, schemas_, &Schemas::list, request, response);
  }
  ServerUnaryReactor* ListSchemaRevisions(CallbackServerContext* context,
                                          const v1::ListSchemaRevisionsRequest* request,
                                          v1::ListSchemaRevisionsResponse* response) override {
    return answer(context, schemas_, &Schemas::list_revisions, request, response);
  }
  ServerUnaryReactor* CommitSchema(CallbackServerContext* context, const v1::CommitSchemaRequest* request,
                                   v1::Schema* response) override {
    return answer(context, schemas_, &Schemas::commit, request, response);
  }
  ServerUnaryReactor* RollbackSchema(CallbackServerContext* context, const v1::RollbackSchemaRequest* request,
                                     v1::Schema* response) override {
    return answer(context, schemas_, &Schemas::rollback, request, response);
  }
  ServerUnaryReactor* DeleteSchemaRevision(CallbackServerContext* context,
                                           const v1::DeleteSchemaRevisionRequest* request,
                                           v1::Schema* response) override {
    return answer(context, schemas_, &Schemas::remove_revision, request, response);
  }
  ServerUnaryReactor* DeleteSchema(CallbackServerContext* context, const v1::DeleteSchemaRequest* request,
                                   Empty* response) override {
    return answer(context, schemas_, &Schemas::remove, request, response);
  }
  ServerUnaryReactor* ValidateSchema(CallbackServerContext* context, const v1::ValidateSchemaRequest* request,
                                     v1::ValidateSchemaResponse* response) override {
    return answer(context, schemas_, &Schemas::validate, request, response);
  }
  ServerUnaryReactor* ValidateMessage(CallbackServerContext* context,
                                      const v1::ValidateMessageRequest* request,
                                      v1::ValidateMessageResponse* response) override {
    return answer(context, schemas_, &Schemas::validate_message, request, response);
  }

 private:
  Schemas& schemas_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_schema_service(Schemas& schemas) {
  return std::make_unique<SchemaService>(schemas);
}

}  // namespace cfd::emulator
