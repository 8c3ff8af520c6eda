// Messages as they arrive, also from senders that are not this library.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>

#include "codec/compression.hpp"
#include "execution/executor.hpp"

namespace {

using cfd::Attribute;
using cfd::Outcome;
using cfd::Verdict;
using testing::HasSubstr;

std::string last;

struct Point {
  int x = 0;
  int y = 0;
};

const auto add = cfd::dispatch(
    "envelope.add",
    [](int a, double b, std::string cheer = "none") { last = fmt::format("{} {} {}", a, b, cheer); },
    cfd::arg("a"), cfd::arg("b"), cfd::arg("cheer"));
const auto rich =
    cfd::dispatch("envelope.rich", [](std::vector<std::byte> bytes, std::map<int, Point> points) {
      last = fmt::format("{} {}", bytes.size(), points.at(5).y);
    });

Outcome deliver(std::string_view data, std::vector<Attribute> attributes = {}) {
  last.clear();
  cfd::Event event;
  event.id = "1";
  event.data = data;
  event.attributes = attributes;
  return cfd::execution::run(event, "test");
}

TEST(Envelope, TakesPlainJson) {
  EXPECT_EQ(deliver(R"({"function":"envelope.add","args":[1,2],"kwargs":{"cheer":"yay"}})").verdict,
            Verdict::executed);
  EXPECT_EQ(last, "1 2 yay");
  EXPECT_EQ(deliver(R"({"function":"envelope.add","args":[1,2.5]})").verdict, Verdict::executed);
  EXPECT_EQ(last, "1 2.5 none");
  EXPECT_EQ(deliver(R"({"function":"envelope.rich","args":["AAEC",{"5":[1,2]}]})").verdict,
            Verdict::executed);
  EXPECT_EQ(last, "3 2");
}

TEST(Envelope, TakesJsonObjectsForAggregatesWhereNamesAreKnown) {
  const auto outcome = deliver(R"({"function":"envelope.rich","args":["",{"5":{"y":7}}]})");
  if constexpr (cfd::detail::field_names_known) {
    EXPECT_EQ(outcome.verdict, Verdict::executed) << outcome.reason;
    EXPECT_EQ(last, "0 7");
    EXPECT_THAT(deliver(R"({"function":"envelope.rich","args":["",{"5":{"z":7}}]})").reason,
                HasSubstr("no field is named \"z\""));
  } else {
    EXPECT_THAT(outcome.reason, HasSubstr("expected array of the fields in order"));
  }
}

TEST(Envelope, TakesMessagePackByHand) {
  EXPECT_EQ(deliver("\x92\x92\x01\x02\x81\xa5"
                    "cheer\xa3yay",
                    {{"function", "envelope.add"}, {"cfd", "1"}})
                .verdict,
            Verdict::executed);
  EXPECT_EQ(last, "1 2 yay");
}

TEST(Envelope, TakesCompressedData) {
  std::string compressed;
  const std::string json = R"({"function":"envelope.add","args":[1,2,")" + std::string(500, 'x') + "\"]}";
  ASSERT_TRUE(cfd::codec::compress_zstd(json, compressed));
  EXPECT_EQ(deliver(compressed, {{"content_encoding", "zstd"}}).verdict, Verdict::executed);
  const auto bad = deliver(compressed.substr(0, 20), {{"content_encoding", "zstd"}});
  EXPECT_EQ(bad.verdict, Verdict::reject);
  EXPECT_THAT(bad.reason, HasSubstr("not valid zstd"));
  EXPECT_THAT(deliver("x", {{"content_encoding", "br"}}).reason,
              HasSubstr("unknown content encoding \"br\""));
}

struct Case {
  const char* data;
  std::vector<Attribute> attributes;
  const char* reason;
};

TEST(Envelope, RejectsWithOneLineThatSaysWhy) {
  const Case cases[] = {
      {"nonsense", {}, "not valid JSON: syntax error"},
      {"[1]", {}, "a call in JSON must be an object"},
      {"{}", {}, "\"function\" is missing"},
      {R"({"function":5})", {}, "\"function\" must be a string"},
      {R"({"function":"f","arguments":[]})", {}, "unknown key \"arguments\""},
      {R"({"function":"envelope.ad"})", {}, "unknown function \"envelope.ad\"; is \"envelope.add\" meant?"},
      {R"({"function":"envelope.add","args":[1]})", {}, "argument 2 (b): expected a value, got none"},
      {R"({"function":"envelope.add","args":[1,2,"x",4]})", {}, "expected at most 3 arguments, got 4"},
      {R"({"function":"envelope.add","args":["1",2]})", {}, "argument 1 (a): expected int32, got string"},
      {R"({"function":"envelope.add","args":[1,2],"kwargs":{"d":1}})", {}, "no parameter is named \"d\""},
      {R"({"function":"envelope.add","args":[1,2],"kwargs":{"a":1}})", {}, "parameter \"a\" is given twice"},
      {"\x92\x92\x01\x02\x80",
       {{"function", "envelope.add"}, {"cfd", "9"}},
       "format version \"9\" is not known here"},
      {"\x92\x92\x01\x02\x80", {{"cfd", "1"}}, "attribute \"function\" is missing"},
      {"\x92\x92\x01", {{"function", "envelope.add"}, {"cfd", "1"}, {"build", "abc"}}, "called by build abc"},
      {"\x92\x92\x01\x02\x80\x01",
       {{"function", "envelope.add"}, {"cfd", "1"}},
       "expected the end of the message"},
      {R"({"function":"envelope.add"})", {{"function", "other"}}, "the attribute says function \"other\""},
  };
  for (const Case& c : cases) {
    const Outcome outcome = deliver(c.data, c.attributes);
    EXPECT_EQ(outcome.verdict, Verdict::reject) << c.data;
    EXPECT_THAT(outcome.reason, HasSubstr(c.reason));
    EXPECT_EQ(outcome.reason.find('\n'), std::string::npos);
    EXPECT_EQ(last, "") << "ran all the same";
  }
}

TEST(Envelope, PassesOverWhatANewerCallerKnows) {
  const std::vector<Attribute> newer = {
      {"function", "envelope.add"}, {"cfd", "1"}, {"signature", "0123456789abcdef"}};
  EXPECT_EQ(deliver("\x92\x94\x01\x02\xa1x\x04\x80", newer).verdict, Verdict::executed);
  EXPECT_EQ(last, "1 2 x");
  EXPECT_EQ(deliver("\x92\x92\x01\x02\x81\xa1z\x04", newer).verdict, Verdict::executed);
  EXPECT_EQ(last, "1 2 none");
}

}  // namespace
