#include "log/escape.hpp"

#include <string>

#include <gtest/gtest.h>

namespace cfd::log {
namespace {

constexpr std::size_t no_limit = 1U << 20U;

std::string visible(std::string_view text, std::size_t limit = no_limit) {
  Buffer out;
  append_visible(out, text, limit);
  return {out.data(), out.size()};
}

std::string column(std::string_view text) {
  Buffer out;
  append_column(out, text, no_limit);
  return {out.data(), out.size()};
}

std::string json(std::string_view text, std::size_t limit = no_limit) {
  Buffer out;
  append_json(out, text, limit);
  return {out.data(), out.size()};
}

TEST(Escape, OrdinaryTextIsLeftAlone) {
  EXPECT_EQ(visible("a is just right: hooray! äöü € 🎉 C:\\x \"q\""),
            "a is just right: hooray! äöü € 🎉 C:\\x \"q\"");
}

TEST(Escape, NothingStartsALineOrMovesTheCursor) {
  EXPECT_EQ(visible("a\nE 2020 forged\r\tb"), "a\\nE 2020 forged\\r\\tb");
  EXPECT_EQ(visible(std::string("\x1b[31m\x7f\0", 7)), "\\x1b[31m\\x7f\\x00");
  // NOLINTNEXTLINE(misc-misleading-bidirectional): that this text misleads is what is tested.
  EXPECT_EQ(visible("\xc2\x85|\xe2\x80\xa8|\xe2\x80\xae"), "\\u0085|\\u2028|\\u202e");
}

TEST(Escape, InvalidUtf8ShowsItsBytes) {
  EXPECT_EQ(visible("\xff|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82"),
            "\\xff|\\xc0\\xaf|\\xed\\xa0\\x80|\\xf4\\x90\\x80\\x80|\\xe2\\x82");
}

TEST(Escape, LongTextIsCutBetweenCharactersAndSaysSo) {
  EXPECT_EQ(visible("abcdef", 4), "abcd… (2 bytes more)");
  EXPECT_EQ(visible("abc€", 4), "abc… (3 bytes more)");
  EXPECT_EQ(visible("abcd", 4), "abcd");
}

TEST(Escape, AColumnHasNoSpaceAndIsNeverEmpty) {
  EXPECT_EQ(column(""), "-");
  EXPECT_EQ(column("a b\nc"), "a\\x20b\\nc");
}

TEST(Escape, Json) {
  EXPECT_EQ(json("a \"b\" \\ \n \x01 ä"), "a \\\"b\\\" \\\\ \\u000a \\u0001 ä");
  EXPECT_EQ(json("\xff!"), "\xef\xbf\xbd!");
  EXPECT_EQ(json("abcdef", 4), "abcd… (2 bytes more)");
}

}  // namespace
}  // namespace cfd::log
