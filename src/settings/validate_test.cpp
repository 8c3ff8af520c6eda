#include "settings/validate.hpp"

#include <gtest/gtest.h>

namespace cfd::settings {
namespace {

using namespace std::chrono_literals;

TEST(Validate, Project) {
  for (const char* good : {"my-project-123", "p", "demo", "example.com:my-project", "123456789012"})
    EXPECT_EQ(check_project(good), "") << good;
  for (const char* bad : {"", "My-Project", "my project", "-p", "p-", "projects/p", "p\n"})
    EXPECT_NE(check_project(bad), "") << bad;
  EXPECT_NE(check_project(std::string(64, 'p')), "");
}

TEST(Validate, ResourceId) {
  for (const char* good : {"abc", "my-topic", "T.t_t~t+t%20", "google"})
    EXPECT_EQ(check_resource_id(good), std::string_view(good) == "google" ? check_resource_id("goog") : "")
        << good;
  for (const char* bad : {"", "ab", "1abc", "a b c", "projects/p/topics/t", "goog-topic", "täst", "abc\n"})
    EXPECT_NE(check_resource_id(bad), "") << bad;
  EXPECT_EQ(check_resource_id(std::string(255, 'a')), "");
  EXPECT_NE(check_resource_id(std::string(256, 'a')), "");
}

TEST(Validate, HostPort) {
  for (const char* good :
       {"localhost:8085", "127.0.0.1:1", "[::1]:8085", "pubsub.googleapis.com:443", "my_host:65535"})
    EXPECT_EQ(check_host_port(good), "") << good;
  for (const char* bad :
       {"", "localhost", ":8085", "localhost:", "localhost:0", "localhost:65536", "::1:8085",
        "http://localhost:8085", "localhost:80a", "a b:80", "[]:80", "[::1:80", "localhost:+80"})
    EXPECT_NE(check_host_port(bad), "") << bad;
}

TEST(Validate, Numbers) {
  EXPECT_EQ(check_number("1", 1, 5), "");
  EXPECT_EQ(check_number("5", 1, 5), "");
  for (const char* bad : {"", "0", "6", "-1", "1.5", " 1", "1 ", "0x1", "99999999999999999999"})
    EXPECT_EQ(check_number(bad, 1, 5), "must be a whole number from 1 to 5") << bad;
}

TEST(Validate, Durations) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0s"), 0ms);
  for (const char* bad : {"", "10", "s", "ms", "-1s", "1.5s", "1 s", "1d", "18446744073709551615h"})
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  EXPECT_EQ(check_duration("2m", 1s, 10min), "");
  EXPECT_EQ(check_duration("11m", 1s, 10min),
            "must be a duration from 1s to 10m, written as 500ms, 10s or 2m");
}

TEST(Validate, DurationsAreWrittenAsTheyAreRead) {
  for (const auto value : {0ms, 1ms, 999ms, 1000ms, 1500ms, 60'000ms, 61'000ms, 3'600'000ms, 36'000'000ms})
    EXPECT_EQ(parse_duration(format_duration(value)), value);
  EXPECT_EQ(format_duration(600'000ms), "10m");
}

}  // namespace
}  // namespace cfd::settings
