#pragma once

/// \file
/// Makes a broker durable: takes its changes in order, writes as many as have come in one transaction, and
/// reports each once it is on disk. Thread-safe.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "emulator/database.hpp"
#include "emulator/message.hpp"
#include "emulator/status.hpp"

namespace cfd::emulator {

class Store {
 public:
  using Done = std::function<void(const Status&)>;

  /// Throws cfd::Error, as Database does.
  explicit Store(const std::string& directory);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// What is kept, to be read before start().
  Database& database() noexcept { return database_; }

  /// Begins to write. Subscriptions found in the database must be given to put_subscription again.
  void start();
  /// Writes what has come, and ends. Idempotent.
  void stop();

  void put_topic(const std::string& name, std::string config);
  void erase_topic(const std::string& name);
  /// A subscription belongs to `topic` from now on: it gets what is published after.
  void put_subscription(const std::string& name, std::uint32_t uid, const std::string& topic,
                        std::string config);
  void erase_subscription(const std::string& name, std::uint32_t uid);
  void drop_pending(std::uint32_t uid);

  /// Keeps a batch for all subscriptions of its topic. `done` is called on the store's thread once it is on
  /// disk, or with UNAVAILABLE where that failed and nothing is kept.
  void publish(const std::string& topic, BatchPtr batch, Done done);

  /// Written with what follows; until then a crash brings the messages back.
  void acknowledge(std::uint32_t uid, const std::vector<MessageRef>& messages);

  /// Calls `done` once all that came before is on disk; at once, on this thread, where it is already.
  void when_durable(Done done);

  /// The batch again; null where it is gone. Thread-safe.
  BatchPtr load(std::uint64_t first_id) { return database_.load(first_id); }

 private:
  /// A change, to be applied within a transaction, and whom to tell. Throws cfd::Error.
  struct Operation {
    std::function<void()> apply;
    Done done;
    bool repeat = false;  ///< goes into the next transaction where this one fails
  };
  void add(Operation operation);
  void run();
  void write(std::vector<Operation> operations);
  void apply_acknowledgements();

  Database database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Operation> queue_;
  bool writing_ = false;
  bool stopping_ = false;
  std::thread thread_;

  // Of the writing thread: which subscriptions a topic has, as far as its operations have come.
  std::map<std::string, std::map<std::uint32_t, bool>, std::less<>> topics_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<std::uint32_t>>
      acknowledged_;  // not yet written
};

}  // namespace cfd::emulator
