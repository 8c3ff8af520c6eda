#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <cfd/detail/reader.hpp>

namespace cfd::detail {

namespace {

std::string_view name(Reader::Kind kind) noexcept {
  switch (kind) {
    case Reader::Kind::nil:
      return "nil";
    case Reader::Kind::boolean:
      return "bool";
    case Reader::Kind::integer:
      return "integer";
    case Reader::Kind::floating:
      return "float";
    case Reader::Kind::string:
      return "string";
    case Reader::Kind::bytes:
      return "bytes";
    case Reader::Kind::array:
      return "array";
    case Reader::Kind::map:
      return "map";
    case Reader::Kind::extension:
      return "extension";
    case Reader::Kind::invalid:
      return "an invalid byte";
    case Reader::Kind::end:
      break;
  }
  return "the end of the message";
}

/// Converts without loss, or not at all.
template <class To, class From>
std::optional<To> exactly(From value) noexcept {
  const To converted = static_cast<To>(value);
  // The largest integers round up to a power of two that does not convert back; compare in the wider type.
  if (static_cast<long double>(converted) != static_cast<long double>(value)) return std::nullopt;
  return converted;
}

}  // namespace

Reader::Kind Reader::peek() const noexcept {
  if (at_ == end_) return Kind::end;
  const unsigned tag = byte_at(0);
  if (tag < 0x80 || tag >= 0xe0) return Kind::integer;
  if (tag < 0x90) return Kind::map;
  if (tag < 0xa0) return Kind::array;
  if (tag < 0xc0) return Kind::string;
  switch (tag) {
    case 0xc0:
      return Kind::nil;
    case 0xc2:
    case 0xc3:
      return Kind::boolean;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return Kind::bytes;
    case 0xca:
    case 0xcb:
      return Kind::floating;
    case 0xd9:
    case 0xda:
    case 0xdb:
      return Kind::string;
    case 0xdc:
    case 0xdd:
      return Kind::array;
    case 0xde:
    case 0xdf:
      return Kind::map;
    case 0xc1:
      return Kind::invalid;
    default:
      break;
  }
  return tag >= 0xcc && tag <= 0xd3 ? Kind::integer : Kind::extension;
}

bool Reader::any_integer(WideInteger& value, std::size_t& size) const noexcept {
  if (at_ == end_) return false;
  const unsigned tag = byte_at(0);
  if (tag < 0x80 || tag >= 0xe0) {
    size = 1;
    value = {static_cast<std::uint64_t>(static_cast<std::int8_t>(tag)), tag >= 0xe0};
    return true;
  }
  if (tag < 0xcc || tag > 0xd3) return false;
  const bool is_signed = tag >= 0xd0;
  size = 1 + (std::size_t{1} << ((tag - 0xcc) & 3U));
  if (left() < size) return false;
  std::uint64_t bits = 0;
  switch (size) {
    case 2:
      bits = is_signed ? static_cast<std::uint64_t>(static_cast<std::int8_t>(byte_at(1))) : byte_at(1);
      break;
    case 3: {
      const auto raw = big_endian<std::uint16_t>(1);
      bits = is_signed ? static_cast<std::uint64_t>(static_cast<std::int16_t>(raw)) : raw;
      break;
    }
    case 5: {
      const auto raw = big_endian<std::uint32_t>(1);
      bits = is_signed ? static_cast<std::uint64_t>(static_cast<std::int32_t>(raw)) : raw;
      break;
    }
    default:
      bits = big_endian<std::uint64_t>(1);
      break;
  }
  value = {bits, is_signed && static_cast<std::int64_t>(bits) < 0};
  return true;
}

bool Reader::floating(double& value) {
  if (at_ == end_) return fail("float");
  if (byte_at(0) == 0xcb && left() >= 9) {
    value = std::bit_cast<double>(big_endian<std::uint64_t>(1));
    at_ += 9;
    return true;
  }
  if (byte_at(0) == 0xca && left() >= 5) {
    value = static_cast<double>(std::bit_cast<float>(big_endian<std::uint32_t>(1)));
    at_ += 5;
    return true;
  }
  WideInteger wide{};
  std::size_t size = 0;
  if (!any_integer(wide, size)) return fail("float");
  const auto exact =
      wide.negative ? exactly<double>(static_cast<std::int64_t>(wide.bits)) : exactly<double>(wide.bits);
  if (!exact) return fail("float");
  value = *exact;
  at_ += size;
  return true;
}

bool Reader::floating(float& value) {
  if (at_ != end_ && byte_at(0) == 0xca && left() >= 5) {
    value = std::bit_cast<float>(big_endian<std::uint32_t>(1));
    at_ += 5;
    return true;
  }
  const char* const before = at_;
  double wide = 0;
  if (!floating(wide)) return false;
  // A double may lose digits here, as JSON's 0.1 must; it may not turn into an infinity.
  if (std::isfinite(wide) && std::fabs(wide) > static_cast<double>(std::numeric_limits<float>::max())) {
    at_ = before;
    return fail("float in the range of 32 bits");
  }
  value = static_cast<float>(wide);
  return true;
}

/// Length of a string or of bytes whose 8-bit tag is `tag8`; the 16- and 32-bit tags follow it.
bool Reader::length(std::uint8_t tag8, std::size_t& header, std::size_t& size) const noexcept {
  const unsigned width = byte_at(0) - tag8;
  if (width > 2) return false;
  header = 1 + (std::size_t{1} << width);
  if (left() < header) return false;
  size = width == 0 ? byte_at(1) : width == 1 ? big_endian<std::uint16_t>(1) : big_endian<std::uint32_t>(1);
  return true;
}

bool Reader::take(std::size_t header, std::size_t size, std::string_view& view) {
  if (size > left() - header)
    return fail_because(fmt::format("a length of {} bytes where {} are left", size, left() - header));
  view = {at_ + header, size};
  at_ += header + size;
  return true;
}

bool Reader::long_string(std::string_view& text) {
  if (at_ == end_) return fail("string");
  std::size_t header = 1;
  std::size_t size = byte_at(0) & 0x1fU;
  if ((byte_at(0) & 0xe0U) != 0xa0 && !length(0xd9, header, size)) return fail("string");
  return take(header, size, text);
}

bool Reader::bytes(std::string_view& bytes) {
  std::size_t header = 0;
  std::size_t size = 0;
  if (at_ == end_ || !length(0xc4, header, size)) return fail("bytes");
  return take(header, size, bytes);
}

bool Reader::enter(std::size_t header, std::uint32_t count, std::size_t least, std::string_view what) {
  // Each element takes at least one byte, which bounds whatever a caller allocates for them.
  if (count > (left() - header) / least)
    return fail_because(fmt::format("{} of {} elements in {} bytes", what, count, left() - header));
  if (depth_ >= max_depth) return fail_because(fmt::format("nested deeper than {} levels", max_depth));
  ++depth_;
  at_ += header;
  return true;
}

bool Reader::long_array(std::uint32_t& count) {
  if (at_ == end_) return fail("array");
  const unsigned tag = byte_at(0);
  if ((tag & 0xf0U) == 0x90) {
    count = tag & 0x0fU;
    return enter(1, count, 1, "an array");
  }
  if (tag == 0xdc && left() >= 3) {
    count = big_endian<std::uint16_t>(1);
    return enter(3, count, 1, "an array");
  }
  if (tag == 0xdd && left() >= 5) {
    count = big_endian<std::uint32_t>(1);
    return enter(5, count, 1, "an array");
  }
  return fail("array");
}

bool Reader::long_map(std::uint32_t& count) {
  if (at_ == end_) return fail("map");
  const unsigned tag = byte_at(0);
  if ((tag & 0xf0U) == 0x80) {
    count = tag & 0x0fU;
    return enter(1, count, 2, "a map");
  }
  if (tag == 0xde && left() >= 3) {
    count = big_endian<std::uint16_t>(1);
    return enter(3, count, 2, "a map");
  }
  if (tag == 0xdf && left() >= 5) {
    count = big_endian<std::uint32_t>(1);
    return enter(5, count, 2, "a map");
  }
  return fail("map");
}

bool Reader::skip() {
  // A counter of values still to pass over instead of recursion: depth costs nothing here.
  std::uint64_t pending = 1;
  while (pending-- > 0) {
    std::uint32_t count = 0;
    std::string_view view;
    switch (peek()) {
      case Kind::nil:
      case Kind::boolean:
        ++at_;
        break;
      case Kind::integer: {
        WideInteger wide{};
        std::size_t size = 0;
        if (!any_integer(wide, size)) return fail("a whole value");
        at_ += size;
        break;
      }
      case Kind::floating: {
        const std::size_t size = byte_at(0) == 0xca ? 5 : 9;
        if (left() < size) return fail("a whole value");
        at_ += size;
        break;
      }
      case Kind::string:
        if (!string(view)) return false;
        break;
      case Kind::bytes:
        if (!bytes(view)) return false;
        break;
      case Kind::array:
        if (!array(count)) return false;
        leave();
        pending += count;
        break;
      case Kind::map:
        if (!map(count)) return false;
        leave();
        pending += std::uint64_t{2} * count;
        break;
      case Kind::extension:
      case Kind::invalid:
      case Kind::end:
        return fail("a value");
    }
  }
  return true;
}

bool Reader::skip(std::string_view& encoded) {
  const char* const start = at_;
  if (!skip()) return false;
  encoded = {start, static_cast<std::size_t>(at_ - start)};
  return true;
}

std::string Reader::found() const {
  const Kind kind = peek();
  WideInteger wide{};
  std::size_t size = 0;
  if (kind == Kind::integer && any_integer(wide, size))
    return wide.negative ? fmt::format("integer {}", static_cast<std::int64_t>(wide.bits))
                         : fmt::format("integer {}", wide.bits);
  return std::string(name(kind));
}

bool Reader::fail(std::string_view expected) {
  return fail_because(fmt::format("expected {}, got {}", expected, found()));
}

bool Reader::fail_integer(int digits, bool is_signed) {
  return fail(digits == 1 ? std::string("bool")
                          : fmt::format("{}int{}", is_signed ? "" : "u", digits + (is_signed ? 1 : 0)));
}

bool Reader::fail_budget() {
  return fail_because(fmt::format(
      "decoding would take more than {} bytes of memory for each byte of the message", memory_per_byte));
}

bool Reader::fail_because(std::string reason) {
  if (failure_ == nullptr) failure_ = std::make_unique<Failure>(Failure{std::move(reason), {}});
  return false;
}

bool Reader::within(std::string_view step) {
  if (failure_ != nullptr) failure_->path.insert(0, step);
  return false;
}

bool Reader::within(std::size_t index) {
  return within(fmt::format("[{}]", index));
}

std::string Reader::error() const {
  if (failure_ == nullptr) return {};
  return failure_->path.empty() ? failure_->reason : fmt::format("{}: {}", failure_->path, failure_->reason);
}

}  // namespace cfd::detail
