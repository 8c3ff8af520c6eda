#pragma once

/// \file
/// Coder for aggregates, by reflection with Boost.PFR: an array of the fields in their order. A longer array
/// is read by an older reader, which passes over the fields it does not know; a shorter one leaves the newer
/// fields at their default member initializers. Not API.

#include <algorithm>

#include <boost/pfr/core.hpp>

#include <cfd/detail/coder.hpp>
#include <cfd/detail/coder_container.hpp>
#include <cfd/detail/field_names.hpp>

namespace cfd::detail {

template <class T>
concept Aggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !HasUserCodec<T> && !Callable<T>;

template <class T>
requires Aggregate<T>
struct Coder<T> {
  static constexpr std::size_t fields = boost::pfr::tuple_size_v<T>;

  static void write(Writer& writer, const T& value) {
    writer.array(fields);
    boost::pfr::for_each_field(value,
                               [&]<class Field>(const Field& field) { Coder<Field>::write(writer, field); });
    writer.leave();
  }

  static bool read(Reader& reader, T& value) {
    if (reader.source() == Reader::Source::json && reader.peek() == Reader::Kind::map)
      return read_object(reader, value);
    std::uint32_t count = 0;
    if (!reader.array(count)) return false;
    if (count < fields) value = T{};  // the fields that do not come take their defaults
    std::size_t index = 0;
    bool ok = true;
    boost::pfr::for_each_field(value, [&]<class Field>(Field& field) {
      if (!ok || index >= count) return;
      ok = Coder<Field>::read(reader, field);
      if (ok) ++index;
    });
    if (!ok) return reader.within(index);
    for (; index < count; ++index)
      if (!reader.skip()) return reader.within(index);
    reader.leave();
    return true;
  }

  static void describe(Signature& signature) {
    signature.nest(&identity, [&] { describe_fields(signature, std::make_index_sequence<fields>()); });
  }

 private:
  static constexpr char identity = 0;

  /// A JSON object with the fields' names. Fields that do not come take their defaults; a name that no field
  /// has is more likely a mistake than news.
  static bool read_object(Reader& reader, T& value) {
    if constexpr (!field_names_known || fields == 0) {
      return reader.fail(
          "array of the fields in order (the names of fields are not known to this build's compiler)");
    } else {
      static constexpr auto names = field_names<T>(std::make_index_sequence<fields>());
      std::uint32_t count = 0;
      if (!reader.map(count)) return false;
      value = T{};
      for (std::uint32_t i = 0; i < count; ++i) {
        std::string_view name;
        if (!reader.string(name)) return false;
        const auto wanted = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
        if (wanted == fields)
          return reader.fail_because("no field is named \"" + std::string(name.substr(0, 100)) + "\"");
        if (!read_field(reader, value, wanted)) return reader.within("." + std::string(name));
      }
      reader.leave();
      return true;
    }
  }

  static bool read_field(Reader& reader, T& value, std::size_t wanted) {
    std::size_t index = 0;
    bool ok = true;
    boost::pfr::for_each_field(value, [&]<class Field>(Field& field) {
      if (index++ == wanted) ok = Coder<Field>::read(reader, field);
    });
    return ok;
  }

  template <std::size_t... I>
  static void describe_fields(Signature& signature, std::index_sequence<I...>) {
    signature.add_list<Coder, boost::pfr::tuple_element_t<I, T>...>("{", "}");
  }
};

}  // namespace cfd::detail
