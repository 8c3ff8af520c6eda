#include "emulator/backlog.hpp"

#include <gmock/gmock.h>

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Range range(std::uint64_t first_id, std::uint32_t next, std::uint32_t end) {
  return {nullptr, first_id, Time{Duration{static_cast<std::int64_t>(first_id) * 1000}}, next, end};
}

std::vector<std::array<std::uint64_t, 3>> shape(const std::vector<Range>& ranges) {
  std::vector<std::array<std::uint64_t, 3>> shapes;
  for (const auto& r : ranges) shapes.push_back({r.first_id, r.next, r.end});
  return shapes;
}

using Shape = std::array<std::uint64_t, 3>;

TEST(RangesTest, TouchingAndOverlappingOnesBecomeOne) {
  std::vector<Range> ranges{range(20, 0, 1), range(10, 4, 6), range(10, 0, 2), range(10, 1, 4)};
  normalize(ranges);
  EXPECT_THAT(shape(ranges), ElementsAre(Shape{10, 0, 6}, Shape{20, 0, 1}));
}

TEST(RangesTest, SubtractingCutsHolesAndLeavesOtherBatchesAlone) {
  const std::vector<Range> all{range(10, 0, 10), range(20, 0, 5), range(30, 0, 3)};
  EXPECT_THAT(shape(subtract(all, {range(10, 2, 4), range(10, 6, 7), range(30, 0, 3)})),
              ElementsAre(Shape{10, 0, 2}, Shape{10, 4, 6}, Shape{10, 7, 10}, Shape{20, 0, 5}));
  EXPECT_THAT(subtract(all, all), IsEmpty());
  EXPECT_THAT(shape(subtract(all, {})), ElementsAre(Shape{10, 0, 10}, Shape{20, 0, 5}, Shape{30, 0, 3}));
}

/// Pushed and popped in turns, beyond what stays unpacked, with ids that go back and forth.
TEST(BacklogTest, ALongOneKeepsItsOrderInAFewBytesARange) {
  Backlog backlog(true);
  std::deque<Range> expected;
  std::size_t messages = 0;
  std::uint64_t id = 1'700'000'000'000'000;
  const auto push = [&] {
    const auto count = static_cast<std::uint32_t>(1 + id % 7);
    const auto next = range(id - (id % 3 == 0 ? 40 : 0), static_cast<std::uint32_t>(id % 2),
                            static_cast<std::uint32_t>(id % 2) + count);
    backlog.push(next);
    expected.push_back(next);
    messages += count;
    id += 50;
  };
  const auto pop = [&] {
    ASSERT_FALSE(backlog.empty());
    EXPECT_EQ(shape({backlog.front()}), shape({expected.front()}));
    EXPECT_EQ(backlog.front().publish_time, expected.front().publish_time);
    messages -= expected.front().size();
    backlog.pop_range();
    expected.pop_front();
  };
  for (int i = 0; i < 100'000; ++i) push();
  EXPECT_LT(backlog.packed_bytes(), 100'000U * 8);
  for (int i = 0; i < 60'000; ++i) pop();
  for (int i = 0; i < 30'000; ++i) push();
  EXPECT_EQ(shape(backlog.ranges()), shape({expected.begin(), expected.end()}));
  EXPECT_EQ(backlog.size(), messages);
  while (!expected.empty()) pop();
  EXPECT_TRUE(backlog.empty());
  EXPECT_EQ(backlog.size(), 0U);
  EXPECT_EQ(backlog.packed_bytes(), 0U);
}

}  // namespace
}  // namespace cfd::emulator
