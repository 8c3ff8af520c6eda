#include <fmt/format.h>

#include <cfd/detail/outgoing_call.hpp>
#include <cfd/error.hpp>

namespace cfd::detail {

namespace {

std::string parameter(const Function& function, std::size_t index) {
  const std::string name = index < function.parameters.size() ? function.parameters[index].name : "";
  return name.empty() ? fmt::format("argument {} of {}", index + 1, function.name)
                      : fmt::format("argument {} ({}) of {}", index + 1, name, function.name);
}

}  // namespace

void throw_out_of_range(const Function& function, std::size_t index, std::string_view type) {
  throw CallError(fmt::format("{}: the value does not fit {}", parameter(function, index), type));
}

void throw_null_string(const Function& function, std::size_t index) {
  throw CallError(fmt::format("{}: a null pointer is not a string", parameter(function, index)));
}

void throw_unknown_name(const Function& function, std::string_view name) {
  throw CallError(fmt::format("{} has no parameter named \"{}\"; its parameters are {}", function.name, name,
                              function.signature));
}

void throw_given_twice(const Function& function, std::string_view name) {
  throw CallError(fmt::format("{}: parameter \"{}\" is given twice", function.name, name));
}

void throw_missing(const Function& function, std::size_t index) {
  throw CallError(
      fmt::format("{} is missing; its parameters are {}", parameter(function, index), function.signature));
}

void throw_wrong_type(const Function& function, std::string_view name) {
  throw CallError(fmt::format("{}: the value for \"{}\" has the wrong type; its parameters are {}",
                              function.name, name, function.signature));
}

void throw_default_unknown(const Function& function, std::size_t index) {
  throw CallError(
      fmt::format("{} is left out before one that is given, and its default is known only to the function "
                  "itself: give it too, or "
                  "name its default in the definition with cfd::arg",
                  parameter(function, index)));
}

void throw_not_implemented(const Function& function) {
  throw CallError(
      fmt::format("{} is only declared in this program: link the file that implements it", function.name));
}

void AnyCall::write(Writer& writer, const Function& /*function*/, const Args& args, const Kwargs& kwargs) {
  writer.array(2);
  writer.array(args.size());
  for (const Value& value : args) write_value(writer, value);
  writer.leave();
  writer.map(kwargs.size());
  for (const auto& [name, value] : kwargs) {
    writer.string(name);
    write_value(writer, value);
  }
  writer.leave();
  writer.leave();
}

}  // namespace cfd::detail
