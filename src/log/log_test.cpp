#include <cstdlib>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/log.hpp>

#include "log/context.hpp"
#include "settings/settings.hpp"

namespace cfd::log {
namespace {

using settings::Key;
using ::testing::MatchesRegex;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

constexpr const char* stamp = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z";

struct Unformattable {};

}  // namespace
}  // namespace cfd::log

template <>
struct fmt::formatter<cfd::log::Unformattable> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const cfd::log::Unformattable&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("cannot be shown");
  }
};

namespace cfd::log {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const settings::Description& row : settings::describe()) ::unsetenv(row.variable.data());
    ::unsetenv("K_SERVICE");
    ::unsetenv("CLOUD_RUN_WORKER_POOL");
    settings::reset();
  }
  void TearDown() override { SetUp(); }
};

template <class F>
std::string on_stderr(F&& log) {
  CaptureStderr();
  log();
  return GetCapturedStderr();
}

template <class F>
std::string on_stdout(F&& log) {
  CaptureStdout();
  log();
  return GetCapturedStdout();
}

std::string pattern(std::string_view level, std::string_view rest) {
  return fmt::format("{} {} {}\n", level, stamp, rest);
}

TEST_F(LogTest, WritesTheOriginalsLinesToStandardError) {
  EXPECT_THAT(on_stderr([] { info("a is just right: {}", "hooray!"); }),
              MatchesRegex(pattern("I", "- - a is just right: hooray!")));
  EXPECT_THAT(on_stderr([] { debug("d"); }), MatchesRegex(pattern("D", "- - d")));
  EXPECT_THAT(on_stderr([] { warning("w"); }), MatchesRegex(pattern("W", "- - w")));
  EXPECT_THAT(on_stderr([] { error("e"); }), MatchesRegex(pattern("E", "- - e")));
}

TEST_F(LogTest, TheSourceIsTheCallsElseTheTopicElseTheService) {
  ::setenv("K_SERVICE", "my-service", 1);
  settings::set(Key::log_format, "text", settings::Origin::code);
  EXPECT_THAT(on_stderr([] { info("m"); }), MatchesRegex(pattern("I", "my-service - m")));
  settings::set(Key::topic, "my-topic", settings::Origin::code);
  EXPECT_THAT(on_stderr([] { info("m"); }), MatchesRegex(pattern("I", "my-topic - m")));
  EXPECT_THAT(on_stderr([] {
                const Scope scope({"my-subscription", "12", {}, {}});
                info("m");
              }),
              MatchesRegex(pattern("I", "my-subscription 12 m")));
}

TEST_F(LogTest, ScopesNestAndEndPerThread) {
  const Scope outer({"topic", "1", {}, {}});
  {
    const Scope inner({"topic", "2", {}, {}});
    EXPECT_EQ(context().event_id, "2");
    std::thread([] { EXPECT_EQ(context().event_id, ""); }).join();
  }
  EXPECT_EQ(context().event_id, "1");
  EXPECT_THAT(on_stderr([] { write_for("3", Level::info, "pushing"); }),
              MatchesRegex(pattern("I", "topic 3 pushing")));
  EXPECT_EQ(context().event_id, "1");
}

TEST_F(LogTest, LevelsBelowTheSettingAreNotWritten) {
  settings::set(Key::log_level, "warning", settings::Origin::code);
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::warning));
  EXPECT_EQ(on_stderr([] {
              debug("d");
              info("i");
            }),
            "");
  settings::set(Key::log_level, "off", settings::Origin::code);
  EXPECT_FALSE(enabled(Level::error));
  EXPECT_FALSE(enabled(Level::off));
}

TEST_F(LogTest, JsonOnStandardOutputOnCloudRunOrWhenAskedFor) {
  const auto log = [] { info("m"); };
  settings::set(Key::log_format, "json", settings::Origin::code);
  EXPECT_THAT(on_stdout(log), ::testing::StartsWith("{\"severity\":\"INFO\",\"time\":\""));
  settings::reset();
  ::setenv("CLOUD_RUN_WORKER_POOL", "pool", 1);
  settings::reset();
  EXPECT_THAT(on_stdout(log), ::testing::StartsWith("{\"severity\":\"INFO\",\"time\":\""));
}

TEST_F(LogTest, AFormatterThatThrowsFailsNoCall) {
  const std::string lines = on_stderr([] { info("{}", Unformattable{}); });
  EXPECT_THAT(lines, ::testing::HasSubstr("could not be formatted"));
  EXPECT_THAT(lines, ::testing::HasSubstr("cannot be shown"));
}

TEST_F(LogTest, AMalformedSettingDoesNotSilenceTheLog) {
  ::setenv("CLOUD_FUNCTIONS_DISPATCH_LOG_LEVEL", "loud", 1);
  settings::reset();
  EXPECT_THAT(on_stderr([] { debug("m"); }), MatchesRegex(pattern("D", "- - m")));
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  constexpr int threads = 8;
  constexpr int each = 200;
  const std::string lines = on_stderr([] {
    std::vector<std::thread> writers;
    writers.reserve(threads);
    for (int t = 0; t < threads; ++t)
      writers.emplace_back([t] {
        for (int i = 0; i < each; ++i) info("{}-{} {}", t, i, std::string(5000, static_cast<char>('a' + t)));
      });
    for (std::thread& writer : writers) writer.join();
  });
  std::istringstream in(lines);
  std::set<std::string> seen;
  for (std::string line; std::getline(in, line);) {
    ASSERT_THAT(line, MatchesRegex(fmt::format("I {} - - [0-7]-[0-9]+ (a+|b+|c+|d+|e+|f+|g+|h+)", stamp)));
    ASSERT_EQ(line.size() - line.rfind(' ') - 1, 5000U);
    seen.insert(line.substr(31, line.rfind(' ') - 31));
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(threads) * each);
}

}  // namespace
}  // namespace cfd::log
