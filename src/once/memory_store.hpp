#pragma once

/// \file
/// Executed calls, remembered by the process alone.

#include <list>
#include <mutex>
#include <unordered_map>

#include "once/store.hpp"

namespace cfd::once {

/// Remembers at most `entries` executed calls; beyond that the oldest are forgotten. Claims are as many as
/// functions run.
class MemoryStore final : public Store {
 public:
  using Clock = std::chrono::steady_clock;

  MemoryStore(std::size_t entries, Lifetimes lifetimes) : entries_(entries), lifetimes_(lifetimes) {}

  ClaimResult claim(std::string_view key, std::string_view owner) override;
  std::string finish(std::string_view key) override;
  std::string release(std::string_view key, std::string_view owner) override;

 private:
  struct Entry {
    std::string owner;  // empty: executed
    Clock::time_point until;
    std::list<std::string>::iterator place = {};  // in executed_, where executed
  };

  void forget(Clock::time_point now);

  const std::size_t entries_;
  const Lifetimes lifetimes_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> calls_;
  std::list<std::string> executed_;  // oldest first, which is also the order in which they expire
};

}  // namespace cfd::once
