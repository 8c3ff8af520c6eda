#include "transport/block_pool.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace cfd::transport {
namespace {

TEST(BlockPool, GivesEachBlockToOneOwnerOnly) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(BlockPool::take());
    std::memset(blocks.back(), i, BlockPool::block_size);
  }
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* const bytes = static_cast<unsigned char*>(blocks[i]);
    EXPECT_TRUE(
        std::all_of(bytes, bytes + BlockPool::block_size, [&](unsigned char b) { return b == (i & 0xFFU); }));
  }
  for (void* block : blocks) BlockPool::give(block);
}

TEST(BlockPool, UsesAgainWhatOtherThreadsGaveBackOrLeftBehind) {
  std::set<void*> seen;
  std::vector<void*> blocks;
  for (int round = 0; round < 200; ++round) {
    std::thread taker([&] {
      for (int i = 0; i < 300; ++i) blocks.push_back(BlockPool::take());
    });
    taker.join();
    std::thread giver([&] {
      for (void* block : blocks) BlockPool::give(block);
    });
    giver.join();
    seen.insert(blocks.begin(), blocks.end());
    blocks.clear();
  }
  EXPECT_LT(seen.size(), 3000U) << "memory grows with the number of threads that came and went";
}

}  // namespace
}  // namespace cfd::transport
