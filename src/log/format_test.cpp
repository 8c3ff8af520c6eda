#include "log/format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cfd::log {
namespace {

using namespace std::chrono_literals;

// 2020-03-13T22:24:35.427Z
constexpr std::chrono::system_clock::time_point then{1'584'138'275'427ms};

Entry entry(Context context = {"my-topic", "1043501608491014", {}, {}}) {
  return {Level::info, then, "pushing function call to pubsub: functions.my_func", context, "my-project"};
}

std::string text(const Entry& e, bool colour = false) {
  Buffer out;
  append_text(out, e, colour);
  return {out.data(), out.size()};
}

std::string json(const Entry& e) {
  Buffer out;
  append_json(out, e);
  return {out.data(), out.size()};
}

TEST(Format, TextIsTheOriginalsForm) {
  EXPECT_EQ(text(entry()),
            "I 2020-03-13T22:24:35.427Z my-topic 1043501608491014 pushing function call to pubsub: "
            "functions.my_func\n");
  EXPECT_EQ(text({Level::error, then, "m", {}, {}}), "E 2020-03-13T22:24:35.427Z - - m\n");
  EXPECT_EQ(text({Level::debug, then, "m", {}, {}}, true),
            "\x1b[36mD\x1b[0m 2020-03-13T22:24:35.427Z - - m\n");
}

TEST(Format, TimesAreRightAroundDaysYearsAndBeforeTheEpoch) {
  const auto at = [](std::chrono::milliseconds ms) {
    return text({Level::debug, std::chrono::system_clock::time_point(ms), "m", {}, {}}).substr(2, 24);
  };
  EXPECT_EQ(at(0ms), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(at(-1ms), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(at(951'782'400'000ms), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(at(1'735'689'599'999ms), "2024-12-31T23:59:59.999Z");
}

TEST(Format, JsonHasCloudLoggingsFields) {
  EXPECT_EQ(
      json(entry({"my-topic", "12", "functions.my_func",
                  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})),
      R"({"severity":"INFO","time":"2020-03-13T22:24:35.427Z",)"
      R"("message":"pushing function call to pubsub: functions.my_func",)"
      R"("logging.googleapis.com/trace":"projects/my-project/traces/0af7651916cd43dd8448eb211c80319c",)"
      R"("logging.googleapis.com/spanId":"b7ad6b7169203331","logging.googleapis.com/trace_sampled":true,)"
      R"("logging.googleapis.com/labels":{"source":"my-topic","event_id":"12","function":"functions.my_func"}})"
      "\n");
}

TEST(Format, JsonTellsOneExecutionFromAnother) {
  Context context{"t", "12", "f", {}};
  context.execution_id = "abc-1";
  context.attempt = 3;
  context.duration_ms = 92;
  EXPECT_THAT(
      json(entry(context)),
      testing::HasSubstr(R"(,"duration_ms":92,"logging.googleapis.com/labels":{"source":"t","event_id":"12",)"
                         R"("function":"f","execution_id":"abc-1","attempt":"3"}})"));
}

TEST(Format, JsonTakesGooglesOwnTraceContextToo) {
  const auto with = [](std::string_view trace) { return json(entry({{}, "1", {}, trace})); };
  EXPECT_THAT(
      with("0af7651916cd43dd8448eb211c80319c/255;o=1"),
      testing::HasSubstr(
          R"("logging.googleapis.com/trace":"projects/my-project/traces/0af7651916cd43dd8448eb211c80319c",)"
          R"("logging.googleapis.com/spanId":"00000000000000ff","logging.googleapis.com/trace_sampled":true)"));
  const std::string bare = with("0af7651916cd43dd8448eb211c80319c");
  EXPECT_THAT(bare, testing::HasSubstr(
                        R"(0af7651916cd43dd8448eb211c80319c","logging.googleapis.com/trace_sampled":false)"));
  EXPECT_THAT(bare, testing::Not(testing::HasSubstr("spanId")));
  EXPECT_EQ(with("0AF7651916CD43DD8448EB211C80319C/255;o=1"),
            with("0af7651916cd43dd8448eb211c80319c/255;o=1"));
  EXPECT_EQ(with("0af7651916cd43dd8448eb211c80319c/255;o=0"), with("0af7651916cd43dd8448eb211c80319c/255"));
  for (const char* malformed :
       {"0af7651916cd43dd8448eb211c80319c/x;o=1", "0af7651916cd43dd8448eb211c80319c-1", "zz",
        "0af7651916cd43dd8448eb211c80319c/255x", "0af7651916cd43dd8448eb211c80319c/255;o=x",
        "00000000000000000000000000000000/255;o=1"})
    EXPECT_THAT(with(malformed), testing::Not(testing::HasSubstr("trace"))) << malformed;
}

// The rules of https://www.w3.org/TR/trace-context/#traceparent-header.
TEST(Format, JsonNamesATraceparentThatW3cHasAsValidAlone) {
  const auto with = [](std::string_view trace) { return json(entry({{}, "1", {}, trace})); };
  for (const char* valid : {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what the future brings"})
    EXPECT_THAT(with(valid), testing::HasSubstr("/traces/0af7651916cd43dd8448eb211c80319c\"")) << valid;
  for (const char* invalid : {"00-00000000000000000000000000000000-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                              "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "zz-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-g1",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                              "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"})
    EXPECT_THAT(with(invalid), testing::Not(testing::HasSubstr("trace"))) << invalid;
}

TEST(Format, JsonLeavesOutWhatIsNotKnown) {
  EXPECT_EQ(json({Level::warning, then, "m", {}, {}}),
            "{\"severity\":\"WARNING\",\"time\":\"2020-03-13T22:24:35.427Z\",\"message\":\"m\"}\n");
  const std::string malformed = json(entry({{}, "1", {}, "00-zz-\"-01"}));
  EXPECT_EQ(malformed.find("trace"), std::string::npos);
}

TEST(Format, AMessageCannotForgeALineOrAField) {
  const std::string line = text({Level::info, then, "x\nE 2020", {"a b", "1\n2", {}, {}}, {}});
  EXPECT_EQ(line, "I 2020-03-13T22:24:35.427Z a\\x20b 1\\n2 x\\nE 2020\n");
  EXPECT_EQ(json({Level::info, then, "\",\"severity\":\"", {}, {}}),
            "{\"severity\":\"INFO\",\"time\":\"2020-03-13T22:24:35.427Z\",\"message\":\"\\\","
            "\\\"severity\\\":\\\"\"}\n");
}

}  // namespace
}  // namespace cfd::log
