// The local server whose data directory fails it: a full disk, and a file that is damaged.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>

#include "integration/process.hpp"
#include "integration/pubsub.hpp"

namespace cfd::integration {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Disk : public testing::Test {
 protected:
  /// Starts the server on the directory `data`; null where it does not start, with what it said in said_.
  std::unique_ptr<Process> start() {
    const std::string ready = directory_ / ("ready-" + std::to_string(++starts_));
    auto server = std::make_unique<Process>(std::vector<std::string>{
        CFD_COMMAND, "emulator", "--port", "0", "--ready-file", ready, "--data-dir", data()});
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!fs::exists(ready) && server->running() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (!fs::exists(ready)) {
      EXPECT_EQ(server->wait(), 1);
      said_ = server->output();
      return nullptr;
    }
    pubsub_.emplace(wait_for_file(ready, *server));
    return server;
  }

  std::string data() const { return directory_ / "disk/data"; }
  std::string file() const { return data() + "/pubsub.db"; }

  /// A server with messages in its file, which has been stopped.
  void fill(int messages) {
    auto server = start();
    pubsub_->create_topic("disk");
    pubsub_->create_subscription("disk", "disk");
    for (int i = 0; i < messages; ++i)
      pubsub_->publish("disk", "message " + std::to_string(i) + std::string(20'000, '.'));
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait(), 0);
  }

  TemporaryDirectory directory_;
  std::optional<PubSub> pubsub_;
  std::string said_;
  int starts_ = 0;
};

/// A file system of a few megabytes, which only root can have.
class SmallDisk {
 public:
  explicit SmallDisk(std::string place) : place_(std::move(place)) {
    fs::create_directories(place_);
    mounted_ = mount("tmpfs", place_.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(place_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  void grow() const { ASSERT_EQ(mount("tmpfs", place_.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0); }

 private:
  const std::string place_;
  bool mounted_ = false;
};

TEST_F(Disk, AFullOneIsToldAndTheServerGoesOnWhenThereIsRoom) {
  const SmallDisk disk(directory_ / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "no file system can be mounted here: that takes root";
  auto server = start();
  ASSERT_NE(server, nullptr) << said_;
  pubsub_->create_topic("disk");
  pubsub_->create_subscription("disk", "disk");
  std::set<std::string> confirmed;
  const auto publish = [&](int number) {
    const std::string data = std::to_string(number) + " " + std::string(100'000, 'x');
    try {
      pubsub_->publish("disk", data);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("pubsub.db"), HasSubstr("full")));
      return false;
    }
    confirmed.insert(data);
    return true;
  };
  int number = 0;
  while (number < 100 && publish(number)) ++number;
  ASSERT_LT(number, 100) << "two megabytes took ten";
  EXPECT_GE(number, 5);
  server->wait_for("database or disk is full");
  server->wait_for("refused with UNAVAILABLE");
  EXPECT_FALSE(publish(1000));
  EXPECT_EQ(count(server->output(), "refused with UNAVAILABLE"), 1U) << "said once";
  disk.grow();
  for (int i = 2000; i < 2010; ++i) EXPECT_TRUE(publish(i));
  server->wait_for("takes what is published again");
  // What was confirmed is on the disk, whatever happens to the server.
  server->signal(SIGKILL);
  server->wait();
  server = start();
  ASSERT_NE(server, nullptr) << said_;
  std::set<std::string> delivered;
  for (const Received& message : pubsub_->pull("disk", confirmed.size())) delivered.insert(message.data);
  EXPECT_EQ(delivered, confirmed) << "lost, or pretended";
}

/// Changes a byte of the file in place, `behind` bytes after the first `mark`.
void damage(const std::string& file, const std::string& mark, std::size_t behind) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  const std::size_t at = bytes.find(mark);
  ASSERT_NE(at, std::string::npos) << file << " holds no " << mark;
  stream.clear();
  stream.seekp(static_cast<std::streamoff>(at + behind));
  stream.put(static_cast<char>(bytes[at + behind] ^ 0x20));
}

TEST_F(Disk, AMessageThatIsDamagedIsNotDelivered) {
  fill(3);
  ASSERT_EQ(fs::exists(file() + "-wal") && fs::file_size(file() + "-wal") != 0, false)
      << "it is in the log still";
  damage(file(), "message 1...", 5000);
  const auto server = start();
  ASSERT_NE(server, nullptr) << said_;
  try {
    const auto got = pubsub_->pull("disk", 3);
    for (const Received& message : got) EXPECT_EQ(message.data.find_first_not_of('.', 9), std::string::npos);
    FAIL() << "pulled, though one of three is damaged";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("pubsub.db"), HasSubstr("is damaged"), HasSubstr("restore")));
  }
}

TEST_F(Disk, AFileThatIsNoDatabaseOrOnlyPartOfOneIsNamed) {
  fill(30);
  damage(file(), "SQLite format 3", 3);
  EXPECT_EQ(start(), nullptr);
  EXPECT_THAT(said_, AllOf(HasSubstr(file()), HasSubstr("not a database")));
  damage(file(), "SQL", 3);  // as it was
  fs::resize_file(file(), fs::file_size(file()) / 2);
  const auto server = start();
  if (server == nullptr) {
    EXPECT_THAT(said_, AllOf(HasSubstr(file()), HasSubstr("malformed")));
  } else {
    EXPECT_THROW(pubsub_->pull("disk", 30), std::runtime_error);
  }
}

}  // namespace
}  // namespace cfd::integration
