#include "emulator/access.hpp"

#include <gmock/gmock.h>

namespace cfd::emulator {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(AccessTest, KnowsNamesThatNobodyElseCanOwn) {
  for (const auto* host :
       {"localhost", "localhost:8086", "127.0.0.1:1", "[::1]:8086", "[::1]", "10.1.2.3", "pubsub:8086",
        "page.localhost:80", "host.docker.internal:8086", "pubsub.default.svc.cluster.local", "a.test"})
    EXPECT_TRUE(is_local_host(host, "127.0.0.1")) << host;
  for (const auto* host : {"evil.example", "evil.example:8086", "127.0.0.1.evil.example:8086",
                           "localhost.evil.com", "", ":80", "evil.internal.com"})
    EXPECT_FALSE(is_local_host(host, "127.0.0.1")) << host;
  EXPECT_TRUE(is_local_host("pubsub.example.com:8086", "pubsub.example.com"));
}

TEST(AccessTest, AnswersProgramsAndItsOwnPage) {
  EXPECT_THAT(refusal_of({}, "localhost"), IsEmpty());
  EXPECT_THAT(refusal_of({.host = "localhost:8086"}, "localhost"), IsEmpty());
  EXPECT_THAT(
      refusal_of({.host = "localhost:8086", .origin = "http://localhost:8086", .fetch_site = "same-origin"},
                 "localhost"),
      IsEmpty());
  EXPECT_THAT(refusal_of({.host = "localhost:8086", .fetch_site = "none"}, "localhost"), IsEmpty());
}

TEST(AccessTest, RefusesPagesOfOtherSites) {
  EXPECT_THAT(refusal_of({.host = "localhost:8086", .origin = "https://evil.example"}, "localhost"),
              HasSubstr("https://evil.example"));
  EXPECT_THAT(refusal_of({.host = "localhost:8086", .origin = "null"}, "localhost"), HasSubstr("null"));
  EXPECT_THAT(refusal_of({.host = "localhost:8086", .origin = "http://localhost:3000"}, "localhost"),
              HasSubstr("3000"));
  EXPECT_THAT(refusal_of({.host = "localhost:8086", .origin = "https://localhost:8086"}, "localhost"),
              HasSubstr("https"));
  EXPECT_THAT(refusal_of({.host = "localhost:8086", .fetch_site = "cross-site"}, "localhost"),
              HasSubstr("another site"));
  // Rebinding: the name is the attacker's, so that the browser takes this server for the attacker's own.
  EXPECT_THAT(
      refusal_of(
          {.host = "evil.example:8086", .origin = "http://evil.example:8086", .fetch_site = "same-origin"},
          "localhost"),
      HasSubstr("evil.example:8086"));
}

TEST(AccessTest, KnowsJson) {
  EXPECT_TRUE(is_json("application/json"));
  EXPECT_TRUE(is_json("Application/JSON; charset=utf-8"));
  EXPECT_TRUE(is_json("application/cloudevents+json"));
  for (const auto* type : {"", "text/plain", "application/x-www-form-urlencoded",
                           "text/plain;application/json", "multipart/form-data"})
    EXPECT_FALSE(is_json(type)) << type;
}

}  // namespace
}  // namespace cfd::emulator
