#include <fmt/format.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include "emulator/message_schema.hpp"

namespace cfd::emulator {

namespace {

namespace pb = google::protobuf;

/// Keeps the first error of a definition.
class FirstError final : public pb::io::ErrorCollector, public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty()) text = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  void AddError(const std::string& /*file*/, const std::string& element, const pb::Message* /*descriptor*/,
                ErrorLocation /*location*/, const std::string& message) override {
    if (text.empty()) text = fmt::format("{}: {}", element, message);
  }

  std::string text;
};

class ProtobufSchema final : public MessageSchema {
 public:
  /// Empty text where `definition` is good.
  std::string parse(const std::string& definition) {
    FirstError error;
    pb::io::ArrayInputStream input(definition.data(), static_cast<int>(definition.size()));
    pb::io::Tokenizer tokenizer(&input, &error);
    pb::compiler::Parser parser;
    parser.RecordErrorsTo(&error);
    pb::FileDescriptorProto file;
    if (!parser.Parse(&tokenizer, &file) || !error.text.empty()) return error.text;
    if (file.message_type_size() != 1) return "a definition has exactly one message type at the top level";
    if (file.dependency_size() > 0) return "a definition cannot import others";
    file.set_name("schema.proto");
    const auto* built = pool_.BuildFileCollectingErrors(file, &error);
    if (built == nullptr) return error.text;
    prototype_ = factory_.GetPrototype(built->message_type(0));
    return {};
  }

  Status check_binary(std::string_view data) const override {
    const std::unique_ptr<pb::Message> message(prototype_->New());
    if (message->ParseFromArray(data.data(), static_cast<int>(data.size()))) return {};
    return invalid_argument("the data is no " + prototype_->GetDescriptor()->full_name() +
                            " in protobuf's binary form");
  }

  Status check_json(std::string_view data) const override {
    const std::unique_ptr<pb::Message> message(prototype_->New());
    const auto status = pb::util::JsonStringToMessage({data.data(), data.size()}, message.get());
    if (status.ok()) return {};
    return invalid_argument(fmt::format("the data is no {} as JSON: {}",
                                        prototype_->GetDescriptor()->full_name(),
                                        std::string(status.message())));
  }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_{&pool_};
  const pb::Message* prototype_ = nullptr;
};

}  // namespace

Status parse_protobuf_schema(const std::string& definition, std::shared_ptr<const MessageSchema>& schema) {
  auto parsed = std::make_shared<ProtobufSchema>();
  if (const auto error = parsed->parse(definition); !error.empty()) {
    return invalid_argument("the Protocol Buffer definition is malformed: " + error);
  }
  schema = std::move(parsed);
  return {};
}

}  // namespace cfd::emulator
