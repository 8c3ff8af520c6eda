#include "execution/envelope.hpp"

#include <fmt/format.h>

#include "codec/compression.hpp"
#include "codec/envelope.hpp"
#include "codec/json_arguments.hpp"

namespace cfd::execution {

namespace {

namespace attribute = codec::attribute;

void open_json(std::string_view text, Envelope& envelope) {
  codec::JsonCall call;
  envelope.error = codec::parse_json_call(text, call);
  if (!envelope.error.empty()) return;
  if (!envelope.function.empty() && envelope.function != call.function) {
    envelope.error = fmt::format("the attribute says function \"{}\", the message \"{}\"", envelope.function,
                                 call.function);
    return;
  }
  envelope.function = std::move(call.function);
  if (envelope.call_id.empty()) envelope.call_id = std::move(call.call_id);
  envelope.storage = std::move(call.arguments);
  envelope.arguments = envelope.storage;
  envelope.source = detail::Reader::Source::json;
}

}  // namespace

void open(const Event& event, Envelope& envelope) {
  envelope.function = event.attribute(attribute::function);
  envelope.signature = event.attribute(attribute::signature);
  envelope.build = event.attribute(attribute::build);
  envelope.call_id = event.attribute(attribute::call_id);
  std::string_view data = event.data;
  if (const auto encoding = event.attribute(attribute::content_encoding);
      !encoding.empty() && encoding != "identity") {
    envelope.error = codec::decompress(encoding, data, detail::max_encoded_size, envelope.storage);
    if (!envelope.error.empty()) return;
    data = envelope.storage;
  }
  const auto format = event.attribute(attribute::format);
  const auto type = event.attribute(attribute::content_type);
  if (type == codec::json_type || (format.empty() && type.empty())) {
    const std::string text(data);  // storage is about to hold the converted arguments
    open_json(text, envelope);
  } else if (format != codec::format_version) {
    envelope.error =
        fmt::format("format version \"{}\" is not known here, only \"{}\": deploy a newer worker",
                    format.substr(0, 40), codec::format_version);
  } else if (!type.empty() && type != codec::msgpack_type) {
    envelope.error = fmt::format("content type \"{}\" is not known here", type.substr(0, 100));
  } else if (envelope.function.empty()) {
    envelope.error = "attribute \"function\" is missing";
  } else {
    envelope.arguments = data;
  }
}

}  // namespace cfd::execution
