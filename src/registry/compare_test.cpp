#include "registry/compare.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/type_words.hpp"

namespace cfd::registry {
namespace {

using testing::HasSubstr;

Severity severity_of(std::string_view from, std::string_view to) {
  std::vector<std::pair<Severity, std::string>> reasons;
  return compare_types(from, to, reasons);
}

TEST(TypeWords, ParseWhatSignaturesContain) {
  const auto type = parse_type("map<string, list<{int32, optional<^1>, duration<int64, 1/1000>}>>");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->name, "map");
  EXPECT_EQ(type->parts.at(1).parts.at(0).parts.at(1).text, "optional<^1>");
  EXPECT_TRUE(parse_type("{}"));
  for (const char* bad : {"", "list<", "list<int32", "{int32,}", "int32>", "a b"})
    EXPECT_FALSE(parse_type(bad)) << bad;
  EXPECT_FALSE(parse_type(std::string(200, '{')));
}

TEST(CompareTypes, KnowsWhatWorks) {
  const std::pair<const char*, const char*> pairs[] = {{"int32", "int64"},
                                                       {"uint8", "int16"},
                                                       {"int32", "float64"},
                                                       {"float32", "float64"},
                                                       {"{int32}", "{int32, string}"},
                                                       {"{int32, string}", "{int32}"},
                                                       {"list<int8>", "list<int32>"},
                                                       {"string", "optional<string>"},
                                                       {"variant<int32>", "variant<int64, string>"},
                                                       {"map<string, int8>", "map<string, int16>"},
                                                       {"list<{int32}>", "any"},
                                                       {"list<uint8>", "bytes"}};
  for (const auto& [from, to] : pairs)
    EXPECT_EQ(severity_of(from, to), Severity::note) << from << " -> " << to;
}

TEST(CompareTypes, KnowsWhatMayFail) {
  const std::pair<const char*, const char*> pairs[] = {{"int64", "int32"},
                                                       {"int32", "uint32"},
                                                       {"float64", "float32"},
                                                       {"int64", "float64"},
                                                       {"optional<int32>", "int32"},
                                                       {"any", "int32"},
                                                       {"variant<int32, string>", "variant<int32>"}};
  for (const auto& [from, to] : pairs)
    EXPECT_EQ(severity_of(from, to), Severity::warning) << from << " -> " << to;
}

TEST(CompareTypes, KnowsWhatFails) {
  const std::pair<const char*, const char*> pairs[] = {{"string", "int32"},
                                                       {"float64", "int32"},
                                                       {"list<string>", "list<int32>"},
                                                       {"{int32, string}", "{int32, int32}"},
                                                       {"tuple<int32>", "tuple<int32, int32>"},
                                                       {"array<int32, 2>", "array<int32, 3>"},
                                                       {"duration<int64, 1/1>", "duration<int64, 1/1000>"},
                                                       {"int32", "optional<optional<int32>>"},
                                                       {"bytes", "string"}};
  for (const auto& [from, to] : pairs)
    EXPECT_EQ(severity_of(from, to), Severity::error) << from << " -> " << to;
}

std::string manifest(std::string_view parameters, bool executes = true) {
  return fmt::format(
      R"({{"cfd_manifest":1,"functions":[{{"name":"f","signature":"","fingerprint":"{}","executes":{},)"
      R"("any_arguments":false,"parameters":[{}]}}]}})",
      std::hash<std::string_view>()(parameters), executes, parameters);
}

constexpr std::string_view a = R"({"name":"a","type":"int32","optional":false})";
constexpr std::string_view b = R"({"name":"b","type":"string","optional":false})";
constexpr std::string_view b_optional = R"({"name":"b","type":"string","optional":true})";

std::vector<Finding> findings(const std::string& caller, const std::string& worker) {
  auto result = compare(caller, worker);
  EXPECT_EQ(result.error, "");
  return result.findings;
}

TEST(Compare, FindsNothingBetweenEquals) {
  EXPECT_TRUE(findings(manifest(a), manifest(a)).empty());
}

TEST(Compare, KnowsAppendedParameters) {
  const auto both = fmt::format("{},{}", a, b_optional);
  EXPECT_TRUE(findings(manifest(a), manifest(both)).empty());
  const auto older = findings(manifest(both), manifest(a));
  ASSERT_EQ(older.size(), 1U);
  EXPECT_EQ(older[0].severity, Severity::note);
  const auto needed = findings(manifest(a), manifest(fmt::format("{},{}", a, b)));
  ASSERT_EQ(needed.size(), 1U);
  EXPECT_EQ(needed[0].severity, Severity::error);
  EXPECT_EQ(needed[0].reason, "argument 2 (b) is expected and the caller does not send it");
}

TEST(Compare, FindsWhatFails) {
  EXPECT_EQ(findings(manifest(a), R"({"functions":[]})").at(0).reason, "the worker does not know it");
  EXPECT_THAT(findings(manifest(a), manifest(a, false)).at(0).reason, HasSubstr("links no implementation"));
  const auto swapped = findings(manifest(fmt::format("{},{}", a, b)), manifest(fmt::format("{},{}", b, a)));
  EXPECT_EQ(swapped.size(), 4U);
  EXPECT_EQ(swapped.at(0).reason, "argument 1 (b): int32 is sent where string is expected");
  EXPECT_EQ(swapped.at(2).reason, "\"a\" is argument 1 here and 2 there");
}

TEST(Compare, SaysWhichManifestCannotBeRead) {
  EXPECT_THAT(compare("nonsense", manifest(a)).error, HasSubstr("the caller's manifest cannot be read"));
  EXPECT_THAT(compare(manifest(a), "{}").error, HasSubstr("the worker's manifest cannot be read"));
}

}  // namespace
}  // namespace cfd::registry
