#include "codec/json_arguments.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <cfd/detail/writer.hpp>
#include <cfd/error.hpp>

namespace cfd::codec {

namespace {

namespace json = boost::json;
using detail::Writer;

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

void write(Writer& writer, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      writer.nil();
      break;
    case json::kind::bool_:
      writer.boolean(value.get_bool());
      break;
    case json::kind::int64:
      writer.integer(value.get_int64());
      break;
    case json::kind::uint64:
      writer.integer(value.get_uint64());
      break;
    case json::kind::double_:
      writer.floating(value.get_double());
      break;
    case json::kind::string:
      writer.string(view(value.get_string()));
      break;
    case json::kind::array:
      writer.array(value.get_array().size());
      for (const json::value& element : value.get_array()) write(writer, element);
      writer.leave();
      break;
    case json::kind::object:
      writer.map(value.get_object().size());
      for (const auto& member : value.get_object()) {
        writer.string(view(member.key()));
        write(writer, member.value());
      }
      writer.leave();
      break;
  }
}

std::string take_member(const json::key_value_pair& member, JsonCall& call, const json::array*& args,
                        const json::object*& kwargs) {
  const auto key = view(member.key());
  const json::value& value = member.value();
  if (key == "function" || key == "call_id") {
    if (!value.is_string()) return fmt::format("\"{}\" must be a string", key);
    (key == "function" ? call.function : call.call_id) = view(value.get_string());
  } else if (key == "args") {
    args = value.if_array();
    if (args == nullptr) return "\"args\" must be an array";
  } else if (key == "kwargs") {
    kwargs = value.if_object();
    if (kwargs == nullptr) return "\"kwargs\" must be an object";
  } else {
    return fmt::format("unknown key \"{}\": a call is {{\"function\": …, \"args\": […], \"kwargs\": {{…}}}}",
                       key.substr(0, 100));
  }
  return {};
}

}  // namespace

std::string parse_json_call(std::string_view text, JsonCall& call) {
  json::monotonic_resource memory;
  json::parse_options options;
  options.max_depth = detail::max_depth;
  boost::system::error_code error;
  const json::value root = json::parse({text.data(), text.size()}, error, &memory, options);
  if (error) return fmt::format("not valid JSON: {}", error.message());
  const json::object* object = root.if_object();
  if (object == nullptr) return "a call in JSON must be an object";
  const json::array* args = nullptr;
  const json::object* kwargs = nullptr;
  for (const auto& member : *object)
    if (auto problem = take_member(member, call, args, kwargs); !problem.empty()) return problem;
  if (call.function.empty()) return "\"function\" is missing";
  try {
    Writer writer;
    writer.array(2);
    writer.array(args == nullptr ? 0 : args->size());
    if (args != nullptr)
      for (const json::value& argument : *args) write(writer, argument);
    writer.leave();
    writer.map(kwargs == nullptr ? 0 : kwargs->size());
    if (kwargs != nullptr)
      for (const auto& member : *kwargs) {
        writer.string(view(member.key()));
        write(writer, member.value());
      }
    call.arguments = writer.written();
  } catch (const CallError& problem) {
    return problem.what();
  }
  return {};
}

}  // namespace cfd::codec
