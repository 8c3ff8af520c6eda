// Many topics, and many subscriptions to one.
#include <cstddef>
#include <fstream>
#include <set>
#include <string>

#include <unistd.h>

#include "emulator/broker_fixture.hpp"

namespace cfd::emulator {
namespace {

using ScaleTest = BrokerFixture;

/// Bytes of this process that are in memory.
std::size_t resident() {
  std::size_t size = 0;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> size >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(ScaleTest, TenThousandTopicsAreListedPageByPage) {
  const std::size_t before = resident();
  for (int i = 1; i < 10'000; ++i) create_topic("projects/p/topics/topic-" + std::to_string(i));
  EXPECT_LT(resident() - before, std::size_t{64} << 20U) << "more than 6 KB each";
  std::set<std::string> listed;
  v1::ListTopicsRequest request;
  request.set_project("projects/p");
  do {
    v1::ListTopicsResponse response;
    ASSERT_TRUE(broker.list_topics(request, response).ok());
    ASSERT_GT(response.topics_size(), 0);
    for (const auto& topic : response.topics())
      EXPECT_TRUE(listed.insert(topic.name()).second) << "listed twice";
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed.size(), 10'000U);
  publish("to the last", {}, {}, "projects/p/topics/topic-9999");
}

TEST_F(ScaleTest, AThousandSubscriptionsShareOneCopyOfAMessage) {
  const auto name = [](int i) { return "projects/p/subscriptions/sub-" + std::to_string(i); };
  for (int i = 0; i < 1'000; ++i) create(subscription(name(i)));
  const std::size_t before = resident();
  for (int i = 0; i < 10; ++i) publish(std::string(1'000'000, static_cast<char>('a' + i)));
  // Ten megabytes, and not ten thousand.
  EXPECT_LT(resident() - before, std::size_t{64} << 20U);
  for (const int i : {0, 500, 999}) {
    const auto deliveries = pull(name(i));
    ASSERT_EQ(deliveries.size(), 10U);
    EXPECT_EQ(message_of(deliveries[9]).data(), std::string(1'000'000, 'j'));
  }
}

}  // namespace
}  // namespace cfd::emulator
