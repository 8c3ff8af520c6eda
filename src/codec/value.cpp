#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include <cfd/detail/reader.hpp>
#include <cfd/detail/writer.hpp>
#include <cfd/value.hpp>

namespace cfd {

Value::Value(Array value) noexcept : value_(std::move(value)) {}
Value::Value(Map value) noexcept : value_(std::move(value)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

bool operator==(const Value& a, const Value& b) noexcept {
  return a.value_ == b.value_;
}
bool operator==(const Member& a, const Member& b) noexcept {
  return a.key == b.key && a.value == b.value;
}

const Value* Kwargs::find(std::string_view name) const noexcept {
  const auto it = std::ranges::find(entries_, name, &Entry::first);
  return it == entries_.end() ? nullptr : &it->second;
}

const Value& Kwargs::operator[](std::string_view name) const {
  if (const Value* value = find(name)) return *value;
  throw std::out_of_range(fmt::format("no argument is named \"{}\"", name));
}

void Kwargs::set(std::string name, Value value) {
  const auto it = std::ranges::find(entries_, name, &Entry::first);
  if (it == entries_.end())
    entries_.emplace_back(std::move(name), std::move(value));
  else
    it->second = std::move(value);
}

namespace {

using Out = std::back_insert_iterator<std::string>;

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          fmt::format_to(Out(out), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else
          out += c;
    }
  }
  out += '"';
}

void append(std::string& out, const Value& value);

template <class Range, class Item>
void append_list(std::string& out, char open, const Range& range, char close, Item item) {
  out += open;
  bool first = true;
  for (const auto& element : range) {
    if (!std::exchange(first, false)) out += ", ";
    item(element);
  }
  out += close;
}

void append(std::string& out, const Value& value) {
  if (value.is_nil()) {
    out += "null";
  } else if (const auto* boolean = value.get_if<bool>()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* integer = value.get_if<std::int64_t>()) {
    fmt::format_to(Out(out), "{}", *integer);
  } else if (const auto* large = value.get_if<std::uint64_t>()) {
    fmt::format_to(Out(out), "{}", *large);
  } else if (const auto* floating = value.get_if<double>()) {
    fmt::format_to(Out(out), "{:#}", *floating);
  } else if (const auto* text = value.get_if<std::string>()) {
    append_quoted(out, *text);
  } else if (const auto* bytes = value.get_if<Value::Bytes>()) {
    out += "b\"";
    for (const std::byte byte : *bytes) fmt::format_to(Out(out), "\\x{:02x}", static_cast<unsigned>(byte));
    out += '"';
  } else if (const auto* array = value.get_if<Value::Array>()) {
    append_list(out, '[', *array, ']', [&](const Value& element) { append(out, element); });
  } else {
    append_list(out, '{', *value.get_if<Value::Map>(), '}', [&](const Member& member) {
      append(out, member.key);
      out += ": ";
      append(out, member.value);
    });
  }
}

}  // namespace

std::string to_string(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string to_string(const Args& args) {
  std::string out;
  append_list(out, '[', args, ']', [&](const Value& value) { append(out, value); });
  return out;
}

std::string to_string(const Kwargs& kwargs) {
  std::string out;
  append_list(out, '{', kwargs, '}', [&](const Kwargs::Entry& entry) {
    append_quoted(out, entry.first);
    out += ": ";
    append(out, entry.second);
  });
  return out;
}

namespace detail {

namespace {

bool read_integer(Reader& reader, Value& value) {
  std::int64_t integer = 0;
  if (reader.integer_if(integer)) {
    value = integer;
    return true;
  }
  std::uint64_t large = 0;
  if (!reader.integer(large)) return false;
  value = large;
  return true;
}

bool read_array(Reader& reader, Value& value) {
  std::uint32_t count = 0;
  if (!reader.array(count) || !reader.charge(count, sizeof(Value))) return false;
  Value::Array array(count);
  for (std::size_t i = 0; i < count; ++i)
    if (!read_value(reader, array[i])) return reader.within(i);
  reader.leave();
  value = std::move(array);
  return true;
}

bool read_map(Reader& reader, Value& value) {
  std::uint32_t count = 0;
  if (!reader.map(count) || !reader.charge(count, sizeof(Member))) return false;
  Value::Map map(count);
  for (std::size_t i = 0; i < count; ++i)
    if (!read_value(reader, map[i].key) || !read_value(reader, map[i].value)) return reader.within(i);
  reader.leave();
  value = std::move(map);
  return true;
}

}  // namespace

void write_value(Writer& writer, const Value& value) {
  if (value.is_nil()) {
    writer.nil();
  } else if (const auto* boolean = value.get_if<bool>()) {
    writer.boolean(*boolean);
  } else if (const auto* integer = value.get_if<std::int64_t>()) {
    writer.integer(*integer);
  } else if (const auto* large = value.get_if<std::uint64_t>()) {
    writer.integer(*large);
  } else if (const auto* floating = value.get_if<double>()) {
    writer.floating(*floating);
  } else if (const auto* text = value.get_if<std::string>()) {
    writer.string(*text);
  } else if (const auto* bytes = value.get_if<Value::Bytes>()) {
    writer.bytes({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  } else if (const auto* array = value.get_if<Value::Array>()) {
    writer.array(array->size());
    for (const Value& element : *array) write_value(writer, element);
    writer.leave();
  } else {
    const auto& map = *value.get_if<Value::Map>();
    writer.map(map.size());
    for (const Member& member : map) {
      write_value(writer, member.key);
      write_value(writer, member.value);
    }
    writer.leave();
  }
}

bool read_value(Reader& reader, Value& value) {
  switch (reader.peek()) {
    case Reader::Kind::nil:
      value = Value();
      return reader.consume_nil();
    case Reader::Kind::boolean: {
      bool boolean = false;
      if (!reader.boolean(boolean)) return false;
      value = boolean;
      return true;
    }
    case Reader::Kind::integer:
      return read_integer(reader, value);
    case Reader::Kind::floating: {
      double floating = 0;
      if (!reader.floating(floating)) return false;
      value = floating;
      return true;
    }
    case Reader::Kind::string: {
      std::string_view text;
      if (!reader.string(text) || !reader.charge(text.size(), 1)) return false;
      value = text;
      return true;
    }
    case Reader::Kind::bytes: {
      std::string_view bytes;
      if (!reader.bytes(bytes) || !reader.charge(bytes.size(), 1)) return false;
      value = std::as_bytes(std::span(bytes));
      return true;
    }
    case Reader::Kind::array:
      return read_array(reader, value);
    case Reader::Kind::map:
      return read_map(reader, value);
    case Reader::Kind::extension:
    case Reader::Kind::invalid:
    case Reader::Kind::end:
      break;
  }
  return reader.fail("a value");
}

}  // namespace detail

}  // namespace cfd
