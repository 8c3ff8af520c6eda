// The local server's YAML file: applied at the start, and again as it changes.
#include <cstdio>
#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "integration/process.hpp"
#include "integration/pubsub.hpp"

namespace cfd::integration {
namespace {

using testing::HasSubstr;

/// As editors and deployments do it: the whole file at once.
void replace(const std::string& file, const std::string& text) {
  std::ofstream(file + ".new") << text;
  ASSERT_EQ(std::rename((file + ".new").c_str(), file.c_str()), 0);
}

TEST(Declared, AFileIsAppliedAndAppliedAgainWhenItChanges) {
  const TemporaryDirectory directory;
  const std::string file = directory / "pubsub.yaml";
  const std::string first =
      "project: test-project\ntopics:\n  - name: first\nsubscriptions:\n  - {name: first, topic: first}\n";
  replace(file, first);
  Process server(
      {CFD_COMMAND, "emulator", "--port", "0", "--config", file, "--ready-file", directory / "ready"});
  PubSub pubsub(wait_for_file(directory / "ready", server));
  pubsub.publish("first", "1");
  EXPECT_EQ(pubsub.pull("first", 1).at(0).data, "1");
  EXPECT_THROW(pubsub.publish("second", "2"), std::runtime_error);

  replace(file, first + "  - {name: second, topic: first, ackDeadlineSeconds: 601}\n");
  server.wait_for("cfd: ");
  server.wait_for("second");
  pubsub.publish("first", "what was there is there still");
  EXPECT_EQ(pubsub.pull("first", 1).size(), 1U);

  replace(file,
          "project: test-project\ntopics:\n  - name: second\nsubscriptions:\n  - {name: second, topic: "
          "second}\n");
  server.wait_for("applied " + file + " again");
  pubsub.publish("second", "2");
  EXPECT_EQ(pubsub.pull("second", 1).at(0).data, "2");
  pubsub.publish("first", "what is not declared any more stays");
}

TEST(Declared, AFileThatIsWrongEndsTheStartAndIsNamed) {
  const TemporaryDirectory directory;
  const std::string file = directory / "pubsub.yaml";
  replace(file, "topics: 7\n");
  Process server({CFD_COMMAND, "emulator", "--port", "0", "--config", file});
  EXPECT_EQ(server.wait(), 1);
  EXPECT_THAT(server.output(), HasSubstr(file));
}

}  // namespace
}  // namespace cfd::integration
