#include "worker/ready_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cfd/error.hpp>

namespace cfd::worker {
namespace {

TEST(ReadyFile, HoldsTheLineAndNothingIsLeftBesideIt) {
  const std::filesystem::path directory =
      std::filesystem::path(::testing::TempDir()) / ("ready_file_test." + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  const std::string path = directory / "ready";
  write_ready_file(path, "8080");
  write_ready_file(path, "8081");
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "8081\n");
  const auto entries = std::filesystem::directory_iterator(directory);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  std::filesystem::remove_all(directory);
}

TEST(ReadyFile, SaysWhereItCannotWrite) {
  try {
    write_ready_file("/nonexistent/ready", "8080");
    FAIL() << "written into a directory that does not exist";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/nonexistent/ready"));
  }
}

}  // namespace
}  // namespace cfd::worker
