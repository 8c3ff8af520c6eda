#pragma once

/// \file
/// Lets a redelivered call whose first run succeeded be acknowledged without running again; ADR 0006.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <cfd/event.hpp>

#include "once/store.hpp"

namespace cfd::once {

/// The call that a message carries, as stores know it: its call id, else its message id, of its subscription.
/// Empty where a message has neither.
std::string key_of(const Event& event);

/// Claims a call, runs it, records it. Thread-safe.
class Once {
 public:
  /// By the settings; null where they ask for none. Throws ConfigError or Error as make_store().
  static std::unique_ptr<Once> from_settings();

  Once(std::unique_ptr<Store> store, Lifetimes lifetimes);
  ~Once();
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  /// Runs `run` unless the call was executed, which is an executed outcome, or is being executed, which is to
  /// be retried. The outcome of `run` decides whether the call counts as executed. `source` is the third
  /// column of log lines. Never throws, where `run` does not.
  Outcome run(const Event& event, std::string_view source, const std::function<Outcome()>& run);

 private:
  Outcome run_claimed(const std::string& key, const std::string& owner, const std::function<Outcome()>& run);
  void record(const std::string& key);
  void renew();

  const std::unique_ptr<Store> store_;
  const Lifetimes lifetimes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> claims_;  // what runs: key and owner
  bool warned_ = false;
  bool ending_ = false;
  std::thread renewer_;
};

}  // namespace cfd::once
