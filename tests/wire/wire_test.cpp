// Messages as released versions wrote them, byte for byte. Files in v1/ are never edited: a new kind of value
// gets a new file. With CFD_WIRE_WRITE set, files that are missing are written.

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include <cfd/codec.hpp>

namespace {

using namespace cfd::detail;

enum class Colour : std::uint8_t { red = 1, blue = 200 };

struct Point {
  int x = 0;
  double y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

struct Shape {
  std::string name;
  std::vector<Point> points;
  std::optional<Point> centre;
  Colour colour = Colour::red;
  friend bool operator==(const Shape&, const Shape&) = default;
};

using Scalars = std::tuple<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t,
                           std::uint16_t, std::uint32_t, std::uint64_t, float, double, Int128, UInt128>;
using Texts = std::tuple<std::string, std::string, std::vector<std::byte>, std::array<std::uint8_t, 4>,
                         std::filesystem::path>;
using Wrappers = std::tuple<std::optional<int>, std::optional<int>, std::optional<std::optional<int>>,
                            std::variant<std::monostate, int, std::string>, std::pair<int, std::string>>;
using Containers = std::tuple<std::vector<int>, std::set<std::string>, std::map<std::string, int>,
                              std::array<int, 2>, std::vector<bool>, std::map<int, std::vector<double>>>;
using Times = std::tuple<std::chrono::milliseconds, std::chrono::sys_seconds, std::chrono::duration<double>,
                         std::complex<float>, std::bitset<10>>;

std::filesystem::path directory = CFD_WIRE_DIRECTORY;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
void check(const std::string& name, const T& value) {
  Writer writer;
  Coder<T>::write(writer, value);
  const std::filesystem::path path = directory / (name + ".msgpack");
  if (!std::filesystem::exists(path) && std::getenv("CFD_WIRE_WRITE") != nullptr)
    std::ofstream(path, std::ios::binary) << writer.written();
  const std::string golden = read_file(path);
  ASSERT_FALSE(golden.empty()) << path << " is missing";
  EXPECT_EQ(golden, writer.written()) << name << " is written differently from a released version";
  Reader reader(golden);
  T back{};
  ASSERT_TRUE(Coder<T>::read(reader, back)) << reader.error();
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(back == value);
}

TEST(Wire, Scalars) {
  check<Scalars>("scalars", {true, -128, -32'768, INT32_MIN, INT64_MIN, 255, 65'535, UINT32_MAX, UINT64_MAX,
                             0.1F, -0.0, -(Int128{1} << 100U), UInt128{1} << 127U});
}

TEST(Wire, Texts) {
  check<Texts>("texts",
               {"", std::string(300, 'x'), {std::byte{0}, std::byte{255}}, {1, 2, 3, 4}, "/tmp/file"});
}

TEST(Wire, Wrappers) {
  check<Wrappers>("wrappers", {{}, 5, std::optional<int>{}, "text", {1, "a"}});
}

TEST(Wire, Containers) {
  check<Containers>("containers",
                    {{1, -1, 1'000'000}, {"a", "b"}, {{"k", 1}}, {7, 8}, {true, false}, {{-5, {0.5}}}});
}

TEST(Wire, Times) {
  check<Times>("times", {std::chrono::milliseconds(1500),
                         std::chrono::sys_seconds(std::chrono::seconds(1'584'138'267)),
                         std::chrono::duration<double>(0.25),
                         {1, -1},
                         0b10'0000'0011});
}

TEST(Wire, Aggregates) {
  check<Shape>("aggregates", {"triangle", {{1, 0.5}, {-2, 1e300}}, Point{3, 4}, Colour::blue});
}

TEST(Wire, Dynamic) {
  check<cfd::Value>("dynamic", cfd::Value(cfd::Value::Array{nullptr, 1, "a", cfd::Value::Map{{"x", 7}}}));
}

}  // namespace
