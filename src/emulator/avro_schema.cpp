// Avro, by its specification 1.11: schemas in JSON, data in the binary and in the JSON encoding. No library
// of Debian checks data of both encodings against a schema without generated classes.
#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "emulator/message_schema.hpp"

namespace cfd::emulator {

namespace {

namespace json = boost::json;

constexpr int max_depth = 64;

enum class Kind : std::uint8_t {
  null,
  boolean,
  int32,
  int64,
  float32,
  float64,
  bytes,
  string,
  record,
  enumeration,
  array,
  map,
  fixed,
  alternatives
};

struct Type;
using TypePtr = const Type*;

struct Field {
  std::string name;
  TypePtr type;
};

struct Type {
  Kind kind = Kind::null;
  std::string name;                  // of the primitive, or the full name of a named type
  std::vector<Field> fields;         // record
  std::vector<std::string> symbols;  // enumeration
  std::size_t size = 0;              // fixed
  TypePtr items = nullptr;           // array, map
  std::vector<TypePtr> branches;     // alternatives (Avro's union)
};

struct Malformed {
  std::string why;
};

constexpr std::array<std::pair<std::string_view, Kind>, 8> primitives{{{"null", Kind::null},
                                                                       {"boolean", Kind::boolean},
                                                                       {"int", Kind::int32},
                                                                       {"long", Kind::int64},
                                                                       {"float", Kind::float32},
                                                                       {"double", Kind::float64},
                                                                       {"bytes", Kind::bytes},
                                                                       {"string", Kind::string}}};

/// Builds types from their JSON; owns them, so that a record may contain itself.
class Builder {
 public:
  TypePtr build(const json::value& value, const std::string& scope, int depth) {
    if (depth > max_depth) throw Malformed{"it is nested too deeply"};
    if (value.is_string()) return named(std::string(value.as_string()), scope);
    if (value.is_array()) {
      auto* type = add(Kind::alternatives, "union");
      for (const auto& branch : value.as_array()) type->branches.push_back(build(branch, scope, depth + 1));
      if (type->branches.empty()) throw Malformed{"a union has no branches"};
      return type;
    }
    if (!value.is_object()) throw Malformed{"a type is a name, an object or a union"};
    return build_object(value.as_object(), scope, depth);
  }

  std::vector<std::unique_ptr<Type>> take() { return std::move(types_); }

 private:
  Type* add(Kind kind, std::string name) {
    types_.push_back(std::make_unique<Type>());
    types_.back()->kind = kind;
    types_.back()->name = std::move(name);
    return types_.back().get();
  }

  TypePtr named(const std::string& name, const std::string& scope) {
    for (const auto& [primitive, kind] : primitives) {
      if (name == primitive) return add(kind, name);
    }
    for (const auto& candidate : {scope.empty() ? name : fmt::format("{}.{}", scope, name), name}) {
      if (const auto found = names_.find(candidate); found != names_.end()) return found->second;
    }
    throw Malformed{fmt::format("there is no type \"{}\"", name)};
  }

  static std::string text(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) throw Malformed{fmt::format("\"{}\" is missing", key)};
    return std::string(value->as_string());
  }

  static const json::value& member(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) throw Malformed{fmt::format("\"{}\" is missing", key)};
    return *value;
  }
  static const json::array& list(const json::object& object, std::string_view key) {
    const auto& value = member(object, key);
    if (!value.is_array()) throw Malformed{fmt::format("\"{}\" is no array", key)};
    return value.as_array();
  }

  /// Registers a named type, and returns it with the scope of what is inside.
  std::pair<Type*, std::string> define(Kind kind, const json::object& object, const std::string& scope) {
    const std::string name = text(object, "name");
    const auto dot = name.rfind('.');
    std::string inner = dot != std::string::npos ? name.substr(0, dot) : scope;
    if (dot == std::string::npos && object.contains("namespace")) inner = text(object, "namespace");
    const std::string full = dot != std::string::npos || inner.empty() ? name : inner + "." + name;
    Type* type = add(kind, full);
    if (!names_.emplace(full, type).second)
      throw Malformed{fmt::format("type \"{}\" is defined twice", full)};
    return {type, inner};
  }

  TypePtr build_object(const json::object& object, const std::string& scope, int depth) {
    const auto& of = member(object, "type");
    if (!of.is_string()) return build(of, scope, depth + 1);
    const std::string kind(of.as_string());
    if (kind == "record" || kind == "error") return build_record(object, scope, depth);
    if (kind == "enum") {
      Type* type = define(Kind::enumeration, object, scope).first;
      for (const auto& symbol : list(object, "symbols")) {
        if (!symbol.is_string()) throw Malformed{"a symbol is no string"};
        type->symbols.emplace_back(symbol.as_string());
      }
      return type;
    }
    if (kind == "fixed") {
      Type* type = define(Kind::fixed, object, scope).first;
      const auto& size = member(object, "size");
      if (!size.is_int64() || size.as_int64() < 0) throw Malformed{"\"size\" is no size"};
      type->size = static_cast<std::size_t>(size.as_int64());
      return type;
    }
    if (kind == "array" || kind == "map") {
      Type* type = add(kind == "array" ? Kind::array : Kind::map, kind);
      type->items = build(member(object, kind == "array" ? "items" : "values"), scope, depth + 1);
      return type;
    }
    return named(kind, scope);  // a primitive with attributes, such as a logical type
  }

  TypePtr build_record(const json::object& object, const std::string& scope, int depth) {
    const auto [type, inner] = define(Kind::record, object, scope);
    for (const auto& entry : list(object, "fields")) {
      if (!entry.is_object()) throw Malformed{"a field is no object"};
      const auto& field = entry.as_object();
      type->fields.push_back({text(field, "name"), build(member(field, "type"), inner, depth + 1)});
    }
    return type;
  }

  std::vector<std::unique_ptr<Type>> types_;
  std::map<std::string, TypePtr> names_;
};

/// Walks binary data along a type. What it reads it only skips, so nothing is allocated.
class BinaryReader {
 public:
  explicit BinaryReader(std::string_view data) : rest_(data) {}

  void read(const Type& type, int depth) {
    if (depth > max_depth) throw Malformed{"the data is nested too deeply"};
    switch (type.kind) {
      case Kind::null:
        return;
      case Kind::boolean:
        if (static_cast<unsigned char>(skip(1).front()) > 1) throw Malformed{"a boolean is neither 0 nor 1"};
        return;
      case Kind::int32: {
        const auto value = integer();
        if (value < INT32_MIN || value > INT32_MAX) throw Malformed{"an int is out of range"};
        return;
      }
      case Kind::int64:
        integer();
        return;
      case Kind::float32:
        skip(4);
        return;
      case Kind::float64:
        skip(8);
        return;
      case Kind::bytes:
      case Kind::string:
        skip(length());
        return;
      case Kind::fixed:
        skip(type.size);
        return;
      case Kind::record:
        for (const auto& field : type.fields) read(*field.type, depth + 1);
        return;
      case Kind::enumeration:
        choose(type.symbols.size(), "an enum");
        return;
      case Kind::alternatives:
        read(*type.branches[choose(type.branches.size(), "a union")], depth + 1);
        return;
      case Kind::array:
      case Kind::map:
        blocks(type, depth);
        return;
    }
  }

  bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view skip(std::size_t size) {
    if (size > rest_.size()) throw Malformed{"the data ends early"};
    const auto skipped = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return skipped;
  }
  std::int64_t integer() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(skip(1).front());
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80U)
        return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
    }
    throw Malformed{"a number is too long"};
  }
  std::size_t length() {
    const auto value = integer();
    if (value < 0) throw Malformed{"a length is negative"};
    return static_cast<std::size_t>(value);
  }
  std::size_t choose(std::size_t count, std::string_view what) {
    const auto index = integer();
    if (index < 0 || static_cast<std::size_t>(index) >= count)
      throw Malformed{fmt::format("the choice of {} is out of range", what)};
    return static_cast<std::size_t>(index);
  }
  void blocks(const Type& type, int depth) {
    std::size_t items = 0;
    for (auto count = integer(); count != 0; count = integer()) {
      if (count == INT64_MIN) throw Malformed{"a count is out of range"};
      if (count < 0) {
        length();  // the block's size in bytes, for those who skip it
        count = -count;
      }
      for (; count > 0; --count) {
        // Items of no size (null, an empty record) would otherwise let a few bytes ask for any number of
        // turns.
        if (++items > max_items) throw Malformed{"an array or map has too many items"};
        if (type.kind == Kind::map) skip(length());
        read(*type.items, depth + 1);
      }
    }
  }

  static constexpr std::size_t max_items = 10'000'000;
  std::string_view rest_;
};

void check_json_value(const Type& type, const json::value& value, int depth);

void check_record(const Type& type, const json::value& value, int depth) {
  if (!value.is_object()) throw Malformed{fmt::format("expected an object for record {}", type.name)};
  for (const auto& field : type.fields) {
    const auto* found = value.as_object().if_contains(field.name);
    if (found == nullptr)
      throw Malformed{fmt::format("field \"{}\" of {} is missing", field.name, type.name)};
    check_json_value(*field.type, *found, depth + 1);
  }
  if (value.as_object().size() != type.fields.size())
    throw Malformed{fmt::format("{} has unknown fields", type.name)};
}

/// In JSON a union's value is null, or an object with one member, named after the branch.
void check_alternatives(const Type& type, const json::value& value, int depth) {
  for (const auto* branch : type.branches) {
    if (branch->kind == Kind::null && value.is_null()) return;
    if (branch->kind == Kind::null || !value.is_object() || value.as_object().size() != 1) continue;
    if (const auto* inner = value.as_object().if_contains(branch->name))
      return check_json_value(*branch, *inner, depth + 1);
  }
  throw Malformed{"a value fits no branch of its union"};
}

void check_json_value(const Type& type, const json::value& value, int depth) {
  if (depth > max_depth) throw Malformed{"the data is nested too deeply"};
  const auto expect = [&](bool fits) {
    if (!fits)
      throw Malformed{fmt::format("expected {}, got {}", type.name, json::serialize(value).substr(0, 40))};
  };
  switch (type.kind) {
    case Kind::null:
      return expect(value.is_null());
    case Kind::boolean:
      return expect(value.is_bool());
    case Kind::int32:
      return expect(value.is_int64() && value.as_int64() >= INT32_MIN && value.as_int64() <= INT32_MAX);
    case Kind::int64:
      return expect(value.is_int64());
    case Kind::float32:
    case Kind::float64:
      return expect(value.is_number());
    case Kind::bytes:
    case Kind::string:
    case Kind::fixed:
      return expect(value.is_string());
    case Kind::record:
      return check_record(type, value, depth);
    case Kind::enumeration:
      return expect(value.is_string() &&
                    std::ranges::find(type.symbols, std::string_view{value.as_string()}) !=
                        type.symbols.end());
    case Kind::alternatives:
      return check_alternatives(type, value, depth);
    case Kind::array:
      expect(value.is_array());
      for (const auto& item : value.as_array()) check_json_value(*type.items, item, depth + 1);
      return;
    case Kind::map:
      expect(value.is_object());
      for (const auto& item : value.as_object()) check_json_value(*type.items, item.value(), depth + 1);
      return;
  }
}

class AvroSchema final : public MessageSchema {
 public:
  AvroSchema(std::vector<std::unique_ptr<Type>> types, TypePtr root)
      : types_(std::move(types)), root_(root) {}

  Status check_binary(std::string_view data) const override {
    return guarded([&] {
      BinaryReader reader(data);
      reader.read(*root_, 0);
      if (!reader.at_end()) throw Malformed{"there are bytes after the end"};
    });
  }

  Status check_json(std::string_view data) const override {
    boost::system::error_code error;
    const auto value = json::parse({data.data(), data.size()}, error);
    if (error) return invalid_argument("the data is not JSON: " + error.message());
    return guarded([&] { check_json_value(*root_, value, 0); });
  }

 private:
  template <typename Check>
  static Status guarded(Check check) {
    try {
      check();
    } catch (const Malformed& malformed) {
      return invalid_argument("the data does not satisfy the Avro schema: " + malformed.why);
    }
    return {};
  }

  const std::vector<std::unique_ptr<Type>> types_;
  const TypePtr root_;
};

}  // namespace

Status parse_avro_schema(const std::string& definition, std::shared_ptr<const MessageSchema>& schema) {
  boost::system::error_code error;
  const auto value = json::parse(definition, error);
  if (error) return invalid_argument("the Avro definition is not JSON: " + error.message());
  try {
    Builder builder;
    const TypePtr root = builder.build(value, "", 0);
    schema = std::make_shared<AvroSchema>(builder.take(), root);
  } catch (const Malformed& malformed) {
    return invalid_argument("the Avro definition is malformed: " + malformed.why);
  }
  return {};
}

}  // namespace cfd::emulator
