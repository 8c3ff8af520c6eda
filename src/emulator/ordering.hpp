#pragma once

/// \file
/// Ordering keys: within a key, a message is out only after, or together with, all earlier ones. Not
/// thread-safe.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "emulator/clock.hpp"
#include "emulator/leases.hpp"
#include "emulator/message.hpp"

namespace cfd::emulator {

/// A message to be delivered, and how often its delivery has failed.
struct Entry {
  MessageRef message;
  std::uint32_t attempts = 0;
};

class KeyQueues {
 public:
  /// A consumer that gets one message of a key at a time.
  static constexpr std::uint32_t nobody = 0;

  /// Whether a new message of `key` may go to `consumer` now: nothing of the key waits, and what is out is
  /// with the same consumer, which gets a key's messages in order on its one stream.
  bool may_deliver(const std::string& key, std::uint32_t consumer) const;

  /// Puts a message behind the others of its key.
  void wait(const std::string& key, Entry entry);

  /// The next message of a key that nothing holds back. Its followers come out of the next calls.
  std::optional<Entry> next_ready(std::uint32_t consumer);

  /// Notes that a message of `key` is out.
  void delivered(const std::string& key, const AckToken& token, std::uint32_t consumer);

  /// Notes that a message of `key` is done with. Frees the key if it was the last one out.
  void done(const std::string& key, const AckToken& token);

  /// Those of `key` that went out after `token`, in order: they must come back with it.
  std::vector<AckToken> followers(const std::string& key, const AckToken& token) const;

  /// Puts messages in front of what waits, to be delivered from `at` on.
  void put_back(const std::string& key, std::deque<Entry> entries, std::optional<Time> at);

  /// Frees the keys whose time has come.
  void on_timer(Time now);
  std::optional<Time> next_event() const;

  /// How many keys have a message ready.
  std::size_t ready_size() const noexcept { return ready_.size(); }
  /// How many messages wait.
  std::size_t size() const noexcept { return size_; }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, state] : keys_) {
      for (const auto& entry : state.waiting) visit(entry);
    }
  }

  void clear();

 private:
  struct Key {
    std::deque<Entry> waiting;
    std::vector<AckToken> out;   // in order of delivery
    std::uint32_t consumer = 0;  // who has them
    bool ready = false;          // is in ready_
    bool delayed = false;        // is in delayed_
  };
  void update(const std::string& key);

  std::unordered_map<std::string, Key> keys_;
  std::deque<std::string> ready_;
  std::multimap<Time, std::string> delayed_;
  std::size_t size_ = 0;
};

}  // namespace cfd::emulator
