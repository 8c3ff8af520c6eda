#include "emulator/schemas.hpp"

#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>

#include "cfd/iam/v1/iam_policy.pb.h"
#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/iam.hpp"

namespace cfd::emulator {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const MessageSchema> avro(const std::string& definition) {
  std::shared_ptr<const MessageSchema> schema;
  const auto status = parse_avro_schema(definition, schema);
  EXPECT_TRUE(status.ok()) << status.message;
  return schema;
}

constexpr const char* person = R"({"type": "record", "name": "Person", "namespace": "a.b", "fields": [
  {"name": "name", "type": "string"}, {"name": "age", "type": ["null", "int"]},
  {"name": "friends", "type": {"type": "array", "items": "Person"}},
  {"name": "mood", "type": {"type": "enum", "name": "Mood", "symbols": ["GOOD", "BAD"]}}]})";

TEST(AvroSchemaTest, ChecksJson) {
  const auto schema = avro(person);
  EXPECT_TRUE(schema->check_json(R"({"name": "A", "age": null, "friends": [], "mood": "GOOD"})").ok());
  EXPECT_TRUE(schema
                  ->check_json(R"({"name": "A", "age": {"int": 7}, "mood": "BAD", "friends":
    [{"name": "B", "age": null, "friends": [], "mood": "GOOD"}]})")
                  .ok());
  for (const auto* bad :
       {R"({"name": "A", "age": null, "friends": []})",
        R"({"name": 1, "age": null, "friends": [], "mood": "GOOD"})",
        R"({"name": "A", "age": 7, "friends": [], "mood": "GOOD"})",
        R"({"name": "A", "age": null, "friends": [], "mood": "SO-SO"})",
        R"({"name": "A", "age": null, "friends": [], "mood": "GOOD", "more": 1})", "{", "[]"}) {
    EXPECT_EQ(schema->check_json(bad).code, Code::invalid_argument) << bad;
  }
}

TEST(AvroSchemaTest, ChecksBinary) {
  const auto schema = avro(person);
  using namespace std::string_literals;
  // name "A"; age: branch 1, 7; friends: no block; mood: 0
  const auto good = "\x02"s + "A" + "\x02\x0e" + "\0"s + "\0"s;
  EXPECT_TRUE(schema->check_binary(good).ok());
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_FALSE(schema->check_binary(good.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(schema->check_binary(good + "x").ok());
  EXPECT_FALSE(schema->check_binary("\x02"s + "A" + "\x04\x0e" + "\0"s + "\0"s).ok())
      << "there is no third branch";
}

TEST(AvroSchemaTest, HoldsOutAgainstHostileData) {
  const auto nothing = avro(R"({"type": "array", "items": "null"})");
  // A count of 2^62 items that take no bytes.
  EXPECT_FALSE(nothing->check_binary("\xfe\xff\xff\xff\xff\xff\xff\xff\x7f").ok());
  const auto nested =
      avro(R"({"type": "record", "name": "R", "fields": [{"name": "r", "type": ["null", "R"]}]})");
  EXPECT_FALSE(nested->check_binary(std::string(100'000, '\x02')).ok());
  std::shared_ptr<const MessageSchema> schema;
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "[";
  EXPECT_FALSE(parse_avro_schema(deep, schema).ok());
  for (const auto* bad :
       {"", "7", "\"nonsense\"", R"({"type": "record", "name": "R"})", R"({"type": "enum", "name": "E"})",
        R"({"type": "array"})", R"({"type": "fixed", "name": "F", "size": -1})", "[]"}) {
    EXPECT_EQ(parse_avro_schema(bad, schema).code, Code::invalid_argument) << bad;
  }
}

TEST(ProtobufSchemaTest, ChecksBothEncodings) {
  std::shared_ptr<const MessageSchema> schema;
  ASSERT_TRUE(
      parse_protobuf_schema("syntax = \"proto3\"; message Point { int32 x = 1; string name = 2; }", schema)
          .ok());
  EXPECT_TRUE(schema->check_json(R"({"x": 1, "name": "a"})").ok());
  EXPECT_FALSE(schema->check_json(R"({"z": 1})").ok());
  EXPECT_FALSE(schema->check_json("{").ok());
  EXPECT_TRUE(schema->check_binary("\x08\x01").ok());
  EXPECT_FALSE(schema->check_binary("\x08").ok());
  EXPECT_THAT(parse_protobuf_schema("message {", schema).message, HasSubstr("line 1"));
  EXPECT_EQ(parse_protobuf_schema("syntax = \"proto3\"; message A {} message B {}", schema).code,
            Code::invalid_argument);
  EXPECT_EQ(parse_protobuf_schema("syntax = \"proto3\"; message A { Missing m = 1; }", schema).code,
            Code::invalid_argument);
}

class SchemasTest : public ::testing::Test {
 protected:
  v1::Schema create(const std::string& id) {
    v1::CreateSchemaRequest request;
    request.set_parent("projects/p");
    request.set_schema_id(id);
    request.mutable_schema()->set_type(v1::Schema::AVRO);
    request.mutable_schema()->set_definition("\"int\"");
    v1::Schema made;
    EXPECT_TRUE(schemas.create(request, made).ok());
    return made;
  }
  v1::Schema commit(const std::string& name, const std::string& definition) {
    v1::CommitSchemaRequest request;
    request.set_name(name);
    request.mutable_schema()->set_type(v1::Schema::AVRO);
    request.mutable_schema()->set_definition(definition);
    v1::Schema made;
    EXPECT_TRUE(schemas.commit(request, made).ok());
    return made;
  }
  Code get(const std::string& name, v1::Schema& schema) {
    v1::GetSchemaRequest request;
    request.set_name(name);
    return schemas.get(request, schema).code;
  }

  ManualClock clock;
  Schemas schemas{clock};
};

TEST_F(SchemasTest, KeepsRevisions) {
  const auto first = create("schema");
  EXPECT_EQ(first.name(), "projects/p/schemas/schema");
  const auto second = commit(first.name(), "\"string\"");
  v1::Schema found;
  EXPECT_EQ(get(first.name(), found), Code::ok);
  EXPECT_EQ(found.revision_id(), second.revision_id());
  EXPECT_EQ(get(first.name() + "@" + first.revision_id(), found), Code::ok);
  EXPECT_EQ(found.definition(), "\"int\"");
  EXPECT_EQ(get(first.name() + "@ffffffff", found), Code::not_found);
  v1::RollbackSchemaRequest rollback;
  rollback.set_name(first.name());
  rollback.set_revision_id(first.revision_id());
  EXPECT_TRUE(schemas.rollback(rollback, found).ok());
  EXPECT_NE(found.revision_id(), first.revision_id());
  EXPECT_EQ(found.definition(), "\"int\"");
  v1::ListSchemaRevisionsRequest list;
  list.set_name(first.name());
  v1::ListSchemaRevisionsResponse page;
  ASSERT_TRUE(schemas.list_revisions(list, page).ok());
  ASSERT_EQ(page.schemas_size(), 3);
  EXPECT_EQ(page.schemas(0).revision_id(), found.revision_id()) << "newest first";
}

TEST_F(SchemasTest, AMessageMaySatisfyAnyRevisionInRange) {
  const auto first = create("schema");
  const auto second = commit(first.name(), "\"string\"");
  v1::Topic topic;
  topic.mutable_schema_settings()->set_schema(first.name());
  EXPECT_EQ(schemas.check_settings(topic).code, Code::invalid_argument) << "no encoding";
  topic.mutable_schema_settings()->set_encoding(v1::JSON);
  EXPECT_TRUE(schemas.check_settings(topic).ok());
  v1::PubsubMessage number;
  v1::PubsubMessage text;
  v1::PubsubMessage neither;
  number.set_data("7");
  text.set_data("\"seven\"");
  neither.set_data("[]");
  EXPECT_TRUE(schemas.check(topic, number.SerializeAsString()).ok());
  EXPECT_TRUE(schemas.check(topic, text.SerializeAsString()).ok());
  EXPECT_EQ(schemas.check(topic, neither.SerializeAsString()).code, Code::invalid_argument);
  topic.mutable_schema_settings()->set_first_revision_id(second.revision_id());
  EXPECT_FALSE(schemas.check(topic, number.SerializeAsString()).ok());
}

TEST(IamPoliciesTest, KeepsPoliciesAndNoticesConcurrentChanges) {
  IamPolicies policies([](const std::string& name) { return name == "projects/p/topics/topic"; });
  iam::v1::SetIamPolicyRequest set;
  iam::v1::Policy policy;
  set.set_resource("projects/p/topics/missing");
  EXPECT_EQ(policies.set(set, policy).code, Code::not_found);
  set.set_resource("projects/p/topics/topic");
  set.mutable_policy()->add_bindings()->set_role("roles/pubsub.publisher");
  ASSERT_TRUE(policies.set(set, policy).ok());
  const auto etag = policy.etag();
  ASSERT_TRUE(policies.set(set, policy).ok());
  set.mutable_policy()->set_etag(etag);
  EXPECT_EQ(policies.set(set, policy).code, Code::aborted);
  iam::v1::GetIamPolicyRequest get;
  get.set_resource("projects/p/topics/topic");
  ASSERT_TRUE(policies.get(get, policy).ok());
  EXPECT_EQ(policy.bindings(0).role(), "roles/pubsub.publisher");
}

}  // namespace
}  // namespace cfd::emulator
