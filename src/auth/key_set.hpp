#pragma once

/// \file
/// The keys that tokens are signed with, kept fresh by a thread of their own, so that no request waits for
/// the network.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "auth/fetch.hpp"
#include "auth/jwks.hpp"

namespace cfd::auth {

/// Thread-safe.
class KeySet {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = std::chrono::milliseconds;
  using Fetch = std::function<Fetched(const std::string& url, const std::stop_token& stop)>;

  /// How often is fetched, and how long what was fetched counts.
  struct Times {
    Duration otherwise{3'600'000};     ///< to the next fetch, where the sender does not say
    Duration least{60'000};            ///< and at least, whatever it says
    Duration most{24 * 3'600'000};     ///< and at most
    Duration between_unknown{30'000};  ///< between fetches that unknown key ids cause
    Duration after_failure{1'000};     ///< doubled with each in a row, up to `least`
    Duration stale{24 * 3'600'000};    ///< how long keys outlive their time while none can be fetched
    Duration first{5'000};             ///< how long the constructor waits for the first
  };

  KeySet(std::string url, Times times, Fetch fetch);
  ~KeySet();
  KeySet(const KeySet&) = delete;
  KeySet& operator=(const KeySet&) = delete;

  struct Found {
    KeyPtr key;                    ///< null where the id is not known
    bool available = true;         ///< false: there are no keys at all that still count
    std::uint64_t generation = 0;  ///< grows with each change of the keys
  };

  /// The key of this id. One that is not known has the keys fetched soon, since they may have been rotated.
  Found find(const std::string& id);

  /// As find(), of no key in particular.
  Found state();

 private:
  void run(const std::stop_token& stop);
  void fetch_once(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void take(Fetched fetched);

  const std::string url_;
  const Times times_;
  const Fetch fetch_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Keys keys_;
  std::string body_;  // what the keys were read from
  std::uint64_t generation_ = 0;
  Clock::time_point stale_at_{};
  Clock::time_point next_{};
  Clock::time_point last_{};
  Duration pause_;
  bool wanted_ = false;   // by an unknown key id
  bool fetched_ = false;  // well or not
  std::jthread thread_;
};

}  // namespace cfd::auth
