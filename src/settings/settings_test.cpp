#include "settings/settings.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/error.hpp>
#include <cfd/options.hpp>

namespace cfd::settings {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr const char* topic_variable = "CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC";

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    reset();
    for (const Description& row : describe()) ::unsetenv(row.variable.data());
  }
  void TearDown() override { SetUp(); }
};

template <class F>
std::string config_error(F&& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigError was thrown";
  return {};
}

TEST_F(SettingsTest, TheTableStandsInTheOrderOfItsKeys) {
  ::setenv("GCP_PROJECT", "my-project", 1);
  ::setenv(topic_variable, "my-topic", 1);
  ::setenv("PUBSUB_EMULATOR_HOST", "localhost:8085", 1);
  set(Key::function_timeout, "10s", Origin::code);
  set(Key::metrics_port, "0", Origin::code);
  set(Key::dead_letter_topic, "my-dead-letters", Origin::code);
  set(Key::once, "memory", Origin::code);
  set(Key::push_auth_email, "invoker@my-project.iam.gserviceaccount.com", Origin::code);
  set(Key::push_auth_audience, "https://my-service", Origin::code);
  set(Key::signing_keys, "first:00112233445566778899aabbccddeeff", Origin::code);
  set(Key::signing_max_age, "1h", Origin::code);
  const auto settings = in_force();
  ASSERT_EQ(settings.size(), static_cast<std::size_t>(Key::count_));
  for (std::size_t i = 0; i < settings.size(); ++i) EXPECT_EQ(settings[i].key, static_cast<Key>(i));
}

TEST_F(SettingsTest, SecretsAreShownNowhere) {
  constexpr const char* secret = "00112233445566778899aabbccddeeff";
  set(Key::signing_keys, std::string("first:") + secret, Origin::code);
  for (const Setting& setting : in_force()) EXPECT_EQ(setting.value.find(secret), std::string::npos);
  const std::string error =
      config_error([&] { set(Key::signing_keys, std::string("no id ") + secret, Origin::code); });
  EXPECT_EQ(error.find(secret), std::string::npos) << error;
  EXPECT_NE(error.find("openssl rand -hex 32"), std::string::npos) << error;
}

TEST_F(SettingsTest, EveryDefaultPassesItsOwnCheck) {
  std::size_t i = 0;
  for (const Description& row : describe()) {
    const Key key = static_cast<Key>(i++);
    if (row.built_in) {
      EXPECT_NO_THROW(set(key, std::string(*row.built_in), Origin::code)) << row.variable;
    }
    EXPECT_FALSE(row.help.empty()) << row.variable;
  }
}

TEST_F(SettingsTest, FlagWinsOverCodeOverEnvironmentOverDefault) {
  EXPECT_EQ(number(Key::port), 8080U);
  ::setenv("PORT", "1", 1);
  EXPECT_EQ(number(Key::port), 1U);
  set(Key::port, "2", Origin::code);
  EXPECT_EQ(number(Key::port), 2U);
  set(Key::port, "3", Origin::flag);
  EXPECT_EQ(number(Key::port), 3U);
  set(Key::port, "4", Origin::code);
  EXPECT_EQ(number(Key::port), 3U);
  EXPECT_THAT(in_force(), Contains(AllOf(Field(&Setting::variable, "PORT"), Field(&Setting::value, "3"),
                                         Field(&Setting::origin, Origin::flag))));
}

TEST_F(SettingsTest, AVariableSetToNothingIsNotSet) {
  ::setenv("PUBSUB_EMULATOR_HOST", "", 1);
  EXPECT_EQ(find(Key::emulator_host), std::nullopt);
}

TEST_F(SettingsTest, AMissingSettingNamesItselfAndBothWaysOut) {
  const std::string project = config_error([] { require(Key::project); });
  EXPECT_THAT(project, HasSubstr("GCP_PROJECT is not set"));
  EXPECT_THAT(project, HasSubstr("export GCP_PROJECT="));
  EXPECT_THAT(project, HasSubstr("cfd emulator"));
  EXPECT_THAT(project, HasSubstr("PUBSUB_EMULATOR_HOST=localhost:8085"));
  EXPECT_THAT(config_error([] { require(Key::topic); }),
              HasSubstr(std::string(topic_variable) + " is not set"));
}

TEST_F(SettingsTest, AMalformedSettingNamesVariableValueAndWayOut) {
  ::setenv("PUBSUB_EMULATOR_HOST", "http://localhost:8085", 1);
  const std::string error = config_error([] { find(Key::emulator_host); });
  EXPECT_THAT(error, HasSubstr("PUBSUB_EMULATOR_HOST is \"http://localhost:8085\" in the environment"));
  EXPECT_THAT(error, HasSubstr("such as localhost:8085"));
  EXPECT_THROW(in_force(), ConfigError);
  EXPECT_THAT(config_error([] { set(Key::port, "http", Origin::flag); }),
              HasSubstr("PORT is \"http\" on the command"));
}

TEST_F(SettingsTest, ConfigureWinsOverTheEnvironmentAndLeavesTheRest) {
  ::setenv("GCP_PROJECT", "from-environment", 1);
  ::setenv(topic_variable, "from-environment", 1);
  configure({.topic = "from-code",
             .publish_timeout = 1500ms,
             .max_pending_bytes = 20'000'000,
             .when_full = WhenFull::drop});
  EXPECT_THAT(find(Key::project), Optional(std::string("from-environment")));
  EXPECT_THAT(find(Key::topic), Optional(std::string("from-code")));
  EXPECT_EQ(duration(Key::publish_timeout), 1500ms);
  EXPECT_EQ(duration(Key::exit_timeout), 10s);
  EXPECT_EQ(number(Key::max_pending_bytes), 20'000'000U);
  EXPECT_THAT(find(Key::when_full), Optional(std::string("drop")));
}

TEST_F(SettingsTest, ConfigureRefusesMalformedValuesAndComingTooLate) {
  EXPECT_THAT(config_error([] { configure({.topic = "a"}); }), HasSubstr("is \"a\" in code"));
  freeze();
  EXPECT_THAT(config_error([] { configure({.topic = "my-topic"}); }),
              HasSubstr("call it first thing in main()"));
  EXPECT_EQ(find(Key::topic), std::nullopt);
}

TEST_F(SettingsTest, TheVersionTellsOfChanges) {
  const std::uint64_t before = version();
  set(Key::log_level, "error", Origin::code);
  EXPECT_GT(version(), before);
}

}  // namespace
}  // namespace cfd::settings
