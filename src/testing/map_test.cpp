#include <array>
#include <iterator>
#include <list>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>
#include <cfd/map.hpp>
#include <cfd/testing.hpp>

namespace cfd {
namespace {

const auto resize = cfd::dispatch("map_test.resize", [](std::string, int) {});
const auto count = cfd::dispatch("map_test.count", [](std::int64_t) {});

TEST(Map, CallsOnceForEachElementOfRangesInStep) {
  testing::InMemory pubsub;
  const std::vector<std::string> ids{"a", "b", "c"};
  const std::list<int> widths{1, 2, 3};
  const MapResult result = map(resize, ids, widths);
  EXPECT_EQ(result.calls, 3U);
  EXPECT_EQ(result.confirmed, 3U);
  EXPECT_EQ(result.failed, 0U);
  ASSERT_EQ(pubsub.calls().size(), 3U);
  EXPECT_EQ(pubsub.calls()[2].args[0], Value("c"));
  EXPECT_EQ(pubsub.calls()[2].args[1], Value(3));
}

TEST(Map, TakesAnyRangeAndTellsItsProgress) {
  testing::InMemory pubsub;
  std::vector<std::uint64_t> seen;
  MapOptions options;
  options.window = 7;
  options.progress_every = 100;
  options.progress = [&](const MapResult& so_far) { seen.push_back(so_far.confirmed); };
  // A range that can be read once only, by input iterators.
  std::string text;
  for (int n = 0; n < 250; ++n) text += std::to_string(n) + ' ';
  std::istringstream words(text);
  const struct {
    std::istringstream& in;
    auto begin() const { return std::istream_iterator<std::int64_t>(in); }
    auto end() const { return std::istream_iterator<std::int64_t>(); }
  } numbers{words};
  EXPECT_EQ(map(options, count, numbers).confirmed, 250U);
  EXPECT_THAT(seen, ::testing::ElementsAre(100U, 200U, 250U));
  EXPECT_EQ(pubsub.calls().size(), 250U);
}

TEST(Map, CountsFailuresAndKeepsTheFirst) {
  testing::InMemory pubsub;
  pubsub.fail_with("NOT_FOUND", "no such topic");
  const MapResult result = map(count, std::array<std::int64_t, 3>{1, 2, 3});
  EXPECT_EQ(result.calls, 3U);
  EXPECT_EQ(result.failed, 3U);
  EXPECT_EQ(result.first_error, "NOT_FOUND: no such topic");
}

TEST(Map, RefusesRangesOfDifferentLengths) {
  testing::InMemory pubsub;
  EXPECT_THROW(map(resize, std::vector<std::string>{"a", "b"}, std::vector<int>{1}), CallError);
  EXPECT_EQ(pubsub.calls().size(), 1U);
}

TEST(Map, OfNothingIsNothing) {
  testing::InMemory pubsub;
  EXPECT_EQ(map(count, std::vector<std::int64_t>()).calls, 0U);
}

}  // namespace
}  // namespace cfd
