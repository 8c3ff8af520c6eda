// The decoder, for a dynamic value and for a type that has every kind of part. What decodes must encode to
// what decodes to the same.

#include <cstdlib>

#include <cfd/codec.hpp>

namespace {

using namespace cfd::detail;

enum class Colour : std::uint8_t { red, green };

struct Node {
  int number = 0;
  std::string text;
  std::vector<Node> children;
  std::unique_ptr<Node> next;
};

struct Everything {
  bool flag = false;
  std::int8_t i8 = 0;
  std::uint64_t u64 = 0;
  Int128 i128 = 0;
  float f = 0;
  double d = 0;
  long double ld = 0;
  Colour colour = Colour::red;
  std::string text;
  std::vector<std::byte> bytes;
  std::array<std::uint8_t, 4> id{};
  std::optional<std::optional<int>> maybe;
  std::variant<std::monostate, int, std::string, std::vector<bool>> either;
  std::tuple<int, std::pair<char, short>> tuple;
  std::map<std::string, std::vector<int>> map;
  std::unordered_set<int> set;
  std::deque<std::list<int>> lists;
  std::chrono::milliseconds duration{};
  std::chrono::system_clock::time_point time;
  std::filesystem::path path;
  std::complex<double> complex;
  std::bitset<12> bits;
  cfd::Value any;
  Node node;
};

template <class T>
void check(std::string_view bytes, Reader::Source source) {
  Reader reader(bytes, source);
  T value{};
  if (!Coder<T>::read(reader, value)) {
    if (reader.error().empty() || reader.error().find('\n') != std::string::npos) std::abort();
    return;
  }
  Writer writer;
  Coder<T>::write(writer, value);
  Reader again(writer.written());
  T same{};
  if (!Coder<T>::read(again, same) || !again.at_end()) std::abort();
  Writer second;
  Coder<T>::write(second, same);
  // Sets may come back in another order, so only the length is compared.
  if (second.written().size() != writer.written().size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto source = (data[0] & 1U) != 0 ? Reader::Source::json : Reader::Source::msgpack;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch ((data[0] >> 1U) % 3) {
    case 0:
      check<cfd::Value>(bytes, source);
      break;
    case 1:
      check<Everything>(bytes, source);
      break;
    default:
      check<std::vector<Node>>(bytes, source);
      break;
  }
  Reader reader(bytes);
  std::string_view skipped;
  if (reader.skip(skipped) && skipped.size() > bytes.size()) std::abort();
  return 0;
}
