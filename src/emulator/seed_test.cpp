#include "emulator/seed.hpp"

#include <filesystem>
#include <fstream>

#include <stdlib.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "emulator/broker_fixture.hpp"

namespace cfd::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SeedTest : public BrokerFixture {
 protected:
  SeedTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cfd-seed-XXXXXX").string();
    close(mkstemp(name.data()));
    path_ = name;
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::size_t seed(const std::string& text) {
    std::ofstream(path_) << text;
    return publish_seed(path_, "p", broker);
  }
  std::string path_;
};

TEST_F(SeedTest, PublishesTheMessagesOfAFile) {
  create(subscription());
  EXPECT_EQ(
      seed(
          R"({"topic": "topic", "message": {"data": "aGVsbG8=", "attributes": {"n": "1"}}})"
          "\n\n"
          R"({"topic": "projects/p/topics/topic", "message": {"attributes": {"n": "2"}, "orderingKey": "k"}})"),
      2U);
  const auto deliveries = pull();
  EXPECT_THAT(data_of(deliveries), ElementsAre("hello", ""));
  EXPECT_EQ(message_of(deliveries[1]).attributes().at("n"), "2");
  EXPECT_EQ(message_of(deliveries[1]).ordering_key(), "k");
}

TEST_F(SeedTest, NamesTheLineThatIsWrong) {
  for (const auto& [line, reason] : std::map<std::string, std::string>{
           {"nonsense", ""},
           {R"({"topic": "topic"})", "expected"},
           {R"({"topic": "none", "message": {"data": "aGk="}})", "projects/p/topics/none"},
           {R"({"topic": "topic", "message": {"dat": "aGk="}})", "dat"},
           {R"({"topic": "topic", "message": {}})", "neither data nor attributes"}}) {
    try {
      seed("\n" + line + "\n");
      FAIL() << line << " was published";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(path_ + ", line 2: "));
      EXPECT_THAT(error.what(), HasSubstr(reason));
    }
  }
}

TEST_F(SeedTest, ALineThatNeverEndsIsRefusedBeforeItIsRead) {
  try {
    seed("\n" + std::string(std::size_t{17} << 20U, 'x'));
    FAIL() << "it was published";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path_ + ", line 2: it is longer than 16777216 bytes"));
  }
}

TEST_F(SeedTest, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(seed(""), 0U);
  EXPECT_EQ(seed("\n\n"), 0U);
  EXPECT_EQ(seed(R"({"topic": "topic", "message": {"data": "aGk="}})"), 1U);
}

}  // namespace
}  // namespace cfd::emulator
