#include <fmt/format.h>

#include <cfd/detail/target.hpp>

namespace cfd::detail {

bool CallReader::fail_shape(std::uint32_t parts) {
  Reader& reader = incoming_.reader;
  if (parts == 2) return reader.within("arguments");
  return reader.fail_because("expected an array of arguments and a map of named arguments");
}

bool CallReader::begin_surplus(std::uint32_t& positional) {
  if (!incoming_.from_newer)
    return incoming_.reader.fail_because(
        fmt::format("expected at most {} arguments, got {}", parameters_, positional));
  surplus_ = positional - static_cast<std::uint32_t>(parameters_);
  positional = static_cast<std::uint32_t>(parameters_);
  return true;
}

bool CallReader::skip_surplus() {
  for (std::size_t i = 0; i < surplus_; ++i)
    if (!incoming_.reader.skip()) return within_argument(incoming_.reader, parameters_ + i, {});
  incoming_.note += fmt::format("passed over {} argument(s) that a newer caller knows", surplus_);
  return true;
}

bool fail_trailing(Reader& reader) {
  return reader.fail_because("expected the end of the message after the arguments");
}

bool fail_unknown_name(Incoming& incoming, std::string_view name) {
  if (!incoming.from_newer)
    return incoming.reader.fail_because(fmt::format("no parameter is named \"{}\"", name.substr(0, 100)));
  incoming.note += fmt::format("passed over argument \"{}\" that a newer caller knows", name.substr(0, 100));
  return incoming.reader.skip();
}

bool fail_given_twice(Reader& reader, std::string_view name) {
  return reader.fail_because(fmt::format("parameter \"{}\" is given twice", name));
}

bool fail_missing(Reader& reader, std::size_t index, std::string_view name) {
  reader.fail_because("expected a value, got none");
  return within_argument(reader, index, name);
}

bool fail_default_unknown(Reader& reader, std::size_t index, std::string_view name) {
  reader.fail_because(
      "is left out before one that is given, and its default is known only to the function itself");
  return within_argument(reader, index, name);
}

bool within_argument(Reader& reader, std::size_t index, std::string_view name) {
  return reader.within(name.empty() ? fmt::format("argument {}", index + 1)
                                    : fmt::format("argument {} ({})", index + 1, name));
}

bool read_any_arguments(Reader& reader, Args& args, Kwargs& kwargs) {
  std::uint32_t parts = 0;
  std::uint32_t count = 0;
  if (!reader.array(parts)) return false;
  if (parts != 2) return reader.fail_because("expected an array of arguments and a map of named arguments");
  if (!reader.array(count) || !reader.charge(count, sizeof(Value))) return reader.within("arguments");
  for (std::size_t i = 0; i < count; ++i) {
    Value value;
    if (!read_value(reader, value)) return within_argument(reader, i, {});
    args.push_back(std::move(value));
  }
  reader.leave();
  if (!reader.map(count) || !reader.charge(count, sizeof(Kwargs::Entry)))
    return reader.within("named arguments");
  std::vector<Kwargs::Entry> entries;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view name;
    Value value;
    if (!reader.string(name) || !reader.charge(name.size(), 1)) return reader.within("named arguments");
    if (!read_value(reader, value)) return reader.within(fmt::format("argument \"{}\"", name.substr(0, 100)));
    entries.emplace_back(name, std::move(value));
  }
  kwargs = Kwargs(std::move(entries));
  reader.leave();
  reader.leave();
  return reader.at_end() || fail_trailing(reader);
}

}  // namespace cfd::detail
