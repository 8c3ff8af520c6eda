#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cfd/codec.hpp>

namespace point {

struct Point {
  int x = 0;
  double y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

struct Polygon {
  std::string name;
  std::vector<Point> points;
  std::optional<Point> centre;
  friend bool operator==(const Polygon&, const Polygon&) = default;
};

struct Tree {
  int value = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> next;
};

struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

struct Older {
  int a = 1;
  std::string b = "b";
  friend bool operator==(const Older&, const Older&) = default;
};

struct Newer {
  int a = 1;
  std::string b = "b";
  double c = 2.5;
  std::vector<int> d = {7};
  friend bool operator==(const Newer&, const Newer&) = default;
};

enum class Colour : std::uint8_t { red = 1, blue = 200 };

class Money {
 public:
  Money() = default;
  Money(std::int64_t amount, std::string currency) : amount_(amount), currency_(std::move(currency)) {
    if (currency_.size() != 3) throw std::invalid_argument("a currency has three letters");
  }
  std::int64_t amount() const { return amount_; }
  const std::string& currency() const { return currency_; }
  friend bool operator==(const Money&, const Money&) = default;

 private:
  std::int64_t amount_ = 0;
  std::string currency_ = "EUR";
};

}  // namespace point

template <>
struct cfd::Codec<point::Money> {
  static std::pair<std::int64_t, std::string> encode(const point::Money& money) {
    return {money.amount(), money.currency()};
  }
  static point::Money decode(std::pair<std::int64_t, std::string> parts) {
    return {parts.first, std::move(parts.second)};
  }
};

namespace cfd::detail {
namespace {

using namespace point;
using namespace std::chrono_literals;

template <class T>
std::string encode(const T& value) {
  Writer writer;
  Coder<T>::write(writer, value);
  return std::string(writer.written());
}

template <class T>
T decode(std::string_view bytes) {
  Reader reader(bytes);
  T value{};
  EXPECT_TRUE(Coder<T>::read(reader, value)) << reader.error();
  EXPECT_TRUE(reader.at_end());
  return value;
}

template <class T>
std::string error_of(std::string_view bytes) {
  Reader reader(bytes);
  T value{};
  EXPECT_FALSE(Coder<T>::read(reader, value));
  return reader.error();
}

template <class T>
void expect_round_trip(const T& value) {
  EXPECT_EQ(decode<T>(encode(value)), value);
}

template <class T>
std::string describe() {
  Signature signature;
  Coder<T>::describe(signature);
  return signature.text();
}

template <class T>
class EveryInteger : public testing::Test {};
using Integers =
    testing::Types<char, signed char, unsigned char, short, unsigned short, int, unsigned, long,
                   unsigned long, long long, unsigned long long, wchar_t, char8_t, char16_t, char32_t>;
TYPED_TEST_SUITE(EveryInteger, Integers);

TYPED_TEST(EveryInteger, RoundTripsAtEachEdgeOfTheFormat) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const TypeParam edge : {Limits::min(), Limits::max(), TypeParam{0}}) expect_round_trip(edge);
  for (unsigned bit = 0; bit < 8 * sizeof(TypeParam); ++bit) {
    const std::uint64_t bits = std::uint64_t{1} << bit;
    const auto power = static_cast<TypeParam>(bits);
    expect_round_trip(power);
    expect_round_trip(static_cast<TypeParam>(bits - 1));
    expect_round_trip(static_cast<TypeParam>(~bits));
  }
}

TYPED_TEST(EveryInteger, AgreesWithAnotherMessagePack) {
  for (unsigned bit = 0; bit < 8 * sizeof(TypeParam); ++bit) {
    const std::uint64_t bits = std::uint64_t{1} << bit;
    const auto power = static_cast<TypeParam>(bits);
    for (const auto value : {power, static_cast<TypeParam>(bits - 1), static_cast<TypeParam>(~bits)}) {
      using Wide = std::conditional_t<std::is_signed_v<TypeParam>, std::int64_t, std::uint64_t>;
      const auto theirs = nlohmann::json::to_msgpack(static_cast<Wide>(value));
      EXPECT_EQ(encode(value), std::string(theirs.begin(), theirs.end())) << static_cast<Wide>(value);
    }
  }
}

TEST(Codec, KeepsFloatsExactly) {
  for (const double value : {0.0, 1.5, -1e300, 5e-324, std::numeric_limits<double>::infinity()}) {
    expect_round_trip(value);
    expect_round_trip(-value);
  }
  EXPECT_TRUE(std::signbit(decode<double>(encode(-0.0))));
  EXPECT_TRUE(std::isnan(decode<double>(encode(std::nan("")))));
  EXPECT_TRUE(std::isnan(decode<float>(encode(std::nanf("")))));
  EXPECT_TRUE(std::isnan(decode<long double>(encode(std::nanl("")))));
  expect_round_trip(1.1F);
  expect_round_trip(1.0L / 3);
  expect_round_trip(std::numeric_limits<long double>::max());
}

TEST(Codec, Keeps128Bits) {
  const UInt128 high = UInt128{0x0123456789abcdef} << 64U;
  for (const UInt128 value : {UInt128{0}, UInt128{UINT64_MAX}, high, ~UInt128{0}}) {
    EXPECT_TRUE(decode<UInt128>(encode(value)) == value);
    const auto as_signed = static_cast<Int128>(value);
    EXPECT_TRUE(decode<Int128>(encode(as_signed)) == as_signed);
    EXPECT_TRUE(decode<Int128>(encode(Int128{-1} - as_signed)) == Int128{-1} - as_signed);
  }
  EXPECT_EQ(encode(Int128{-1}).size(), 1U);
}

TEST(Codec, RoundTripsTheStandardTypes) {
  expect_round_trip(std::string("h\0i", 3));
  expect_round_trip(std::string(70'000, 'x'));
  expect_round_trip(std::vector<std::byte>{std::byte{0}, std::byte{255}});
  expect_round_trip(std::vector<std::uint8_t>(300, 7));
  expect_round_trip(std::array<std::uint8_t, 16>{1, 2, 3});
  expect_round_trip(std::array<int, 3>{1, -2, 3});
  expect_round_trip(std::optional<int>{});
  expect_round_trip(std::optional<int>{5});
  expect_round_trip(std::optional<std::optional<int>>{std::optional<int>{}});
  expect_round_trip(std::optional<std::optional<int>>{});
  expect_round_trip(std::optional<Value>{Value()});
  expect_round_trip(std::variant<int, std::string, std::monostate>{"text"});
  expect_round_trip(std::variant<int, std::string, std::monostate>{std::monostate{}});
  expect_round_trip(std::pair<int, std::string>{1, "a"});
  expect_round_trip(std::tuple<int, std::string, std::vector<bool>>{1, "a", {true, false}});
  expect_round_trip(std::tuple<>{});
  expect_round_trip(std::vector<std::string>{"a", "", "b"});
  expect_round_trip(std::deque<int>{1, 2});
  expect_round_trip(std::list<int>{1, 2});
  expect_round_trip(std::forward_list<int>{1, 2});
  expect_round_trip(std::set<std::string>{"a", "b"});
  expect_round_trip(std::multiset<int>{1, 1});
  expect_round_trip(std::unordered_set<int>{1, 2, 3});
  expect_round_trip(std::map<int, std::string>{{1, "a"}, {-2, "b"}});
  expect_round_trip(std::multimap<int, int>{{1, 2}, {1, 3}});
  expect_round_trip(std::unordered_map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  expect_round_trip(1500ms);
  expect_round_trip(std::chrono::duration<double>{0.25});
  expect_round_trip(std::chrono::system_clock::now());
  expect_round_trip(std::filesystem::path("/tmp/a b"));
  expect_round_trip(std::complex<double>{1, -2});
  expect_round_trip(std::bitset<11>{0b101'0000'0011});
  expect_round_trip(Colour::blue);
}

TEST(Codec, RoundTripsPointersToValues) {
  EXPECT_EQ(*decode<std::unique_ptr<int>>(encode(std::make_unique<int>(5))), 5);
  EXPECT_EQ(decode<std::unique_ptr<int>>(encode(std::unique_ptr<int>())), nullptr);
  EXPECT_EQ(*decode<std::shared_ptr<std::string>>(encode(std::make_shared<std::string>("a"))), "a");
}

TEST(Codec, RoundTripsAggregates) {
  expect_round_trip(Point{3, 4.5});
  expect_round_trip(Polygon{"triangle", {{1, 1}, {2, 2}, {3, 0}}, Point{2, 1}});
  expect_round_trip(std::map<std::string, Polygon>{{"a", {"p", {}, {}}}});
  expect_round_trip(Empty{});
  Tree tree{1, {}, nullptr};
  tree.children.push_back(Tree{2, {}, nullptr});
  tree.next = std::make_unique<Tree>(Tree{3, {}, nullptr});
  const Tree back = decode<Tree>(encode(tree));
  EXPECT_EQ(back.children.at(0).value, 2);
  EXPECT_EQ(back.next->value, 3);
}

TEST(Codec, ReadsAnAggregateWithFieldsAppendedOrMissing) {
  EXPECT_EQ(decode<Older>(encode(Newer{5, "x", 1.0, {1, 2}})), (Older{5, "x"}));
  EXPECT_EQ(decode<Newer>(encode(Older{5, "x"})), (Newer{5, "x", 2.5, {7}}));
}

TEST(Codec, UsesTheConversionsOfTheUsersClass) {
  expect_round_trip(Money(5, "CHF"));
  EXPECT_EQ(error_of<Money>(encode(std::pair<int, std::string>{1, "long"})), "a currency has three letters");
}

TEST(Codec, WidensIntegersAndRefusesWhatDoesNotFit) {
  EXPECT_EQ(decode<std::int64_t>(encode(std::int8_t{-5})), -5);
  EXPECT_EQ(decode<std::uint16_t>(encode(65'535)), 65'535);
  EXPECT_EQ(decode<double>(encode(7)), 7.0);
  EXPECT_EQ(decode<float>(encode(0.1)), 0.1F);
  EXPECT_EQ(error_of<std::uint16_t>(encode(65'536)), "expected uint16, got integer 65536");
  EXPECT_EQ(error_of<unsigned>(encode(-1)), "expected uint32, got integer -1");
  EXPECT_EQ(error_of<int>(encode(1.5)), "expected int32, got float");
  EXPECT_EQ(error_of<int>(encode(std::string("1"))), "expected int32, got string");
  EXPECT_EQ(error_of<float>(encode(1e300)), "expected float in the range of 32 bits, got float");
  EXPECT_EQ(error_of<double>(encode((std::uint64_t{1} << 53U) + 1)),
            "expected float, got integer 9007199254740993");
}

TEST(Codec, SaysWhereDecodingFailed) {
  const auto wrong =
      encode(std::tuple{std::string("p"), std::vector{std::tuple{1, 1.0}, std::tuple{1, 2.0}}, 5});
  EXPECT_EQ(error_of<Polygon>(wrong), "[2]: expected array, got integer 5");
  const std::vector<std::tuple<std::string, int>> elements{{"a", 1}};
  EXPECT_EQ((error_of<std::vector<std::tuple<std::string, std::string>>>(encode(elements))),
            "[0][1]: expected string, got integer 1");
}

TEST(Codec, DescribesTypesByStructure) {
  EXPECT_EQ(describe<int>(), "int32");
  EXPECT_EQ(describe<std::size_t>(), "uint64");
  EXPECT_EQ(describe<Polygon>(), "{string, list<{int32, float64}>, optional<{int32, float64}>}");
  EXPECT_EQ(describe<Tree>(), "{int32, list<^1>, optional<^1>}");
  EXPECT_EQ((describe<std::map<std::string, std::variant<int, bool>>>()),
            "map<string, variant<int32, bool>>");
  EXPECT_EQ((describe<std::array<float, 3>>()), "array<float32, 3>");
  EXPECT_EQ(describe<std::chrono::milliseconds>(), "duration<int64, 1/1000>");
}

TEST(Codec, IsReadByAnotherMessagePack) {
  const auto bytes = encode(std::map<std::string, Polygon>{{"k", {"p", {{1, 2.5}}, {}}}});
  const auto parsed = nlohmann::json::from_msgpack(bytes);
  EXPECT_EQ(parsed.dump(), R"({"k":["p",[[1,2.5]],null]})");
}

TEST(Codec, RefusesToWriteWhatIsNestedTooDeep) {
  Tree root{0, {}, nullptr};
  Tree* last = &root;
  for (int i = 0; i < 200; ++i) last = (last->next = std::make_unique<Tree>(Tree{i, {}, nullptr})).get();
  Writer writer;
  EXPECT_THROW(Coder<Tree>::write(writer, root), CallError);
}

TEST(Writer, RefusesMoreThanItsLimit) {
  Writer writer;
  EXPECT_THROW(writer.string(std::string(max_encoded_size + 1, 'x')), CallError);
}

TEST(ScratchWriter, NestsAndComesBackEmpty) {
  ScratchWriter outer;
  outer->integer(1);
  {
    ScratchWriter inner;
    inner->integer(2);
    EXPECT_EQ(inner->written(), "\x02");
  }
  EXPECT_EQ(outer->written(), "\x01");
}

}  // namespace
}  // namespace cfd::detail
