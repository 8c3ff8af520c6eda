#pragma once

/// \file
/// Makes a broker durable: takes its changes in order, writes as many as have come in one transaction, and
/// reports each once it is on disk. Thread-safe.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
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

  /// Hears, on the store's thread, when writing begins to fail, with the reason, and with an empty text when
  /// it works again. To be set before start().
  void set_on_trouble(std::function<void(const std::string&)> hook) { on_trouble_ = std::move(hook); }

  /// What is kept, to be read before start().
  Database& database() noexcept { return database_; }

  /// Begins to write. Holders of what is in the database must be given to hold() again.
  void start();
  /// Writes what has come, and ends. Idempotent.
  void stop();

  void put(ResourceKind kind, StoredResource resource);
  void erase(ResourceKind kind, const std::string& name);

  /// From now on `holder` gets what is published to `topic`, and nothing else; what it has, it keeps. An
  /// empty topic: nothing more.
  void hold(std::uint32_t holder, const std::string& topic);
  /// The same, beginning with what another holder has.
  void hold_copy(std::uint32_t holder, std::uint32_t source, const std::string& topic);
  /// Forgets the holder, and what it has.
  void release(std::uint32_t holder);
  void drop_before(std::uint32_t holder, Time time);

  /// Keeps a batch for all holders of its topic. `done` is called on the store's thread once it is on disk,
  /// or with UNAVAILABLE where that failed and nothing is kept. `insist`: it is tried again until it
  /// succeeds, together with all that came after it and cannot fail either.
  void publish(const std::string& topic, BatchPtr batch, Done done, bool insist = false);

  /// Written with what follows; until then a crash brings the messages back.
  void acknowledge(std::uint32_t holder, std::vector<Range> ranges);
  void revive(std::uint32_t holder, std::vector<Range> ranges);
  void put_attempts(std::uint32_t holder, std::vector<std::pair<std::uint64_t, std::uint32_t>> attempts);

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
  void set_topic(std::uint32_t holder, const std::string& topic);
  void apply_acknowledgements();
  void report(const Status& status);

  Database database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Operation> queue_;
  bool writing_ = false;
  bool stopping_ = false;
  std::thread thread_;

  std::function<void(const std::string&)> on_trouble_;
  bool in_trouble_ = false;

  // Of the writing thread: who holds a topic's messages, as far as its operations have come.
  std::map<std::string, std::set<std::uint32_t>, std::less<>> holders_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<Range>> acknowledged_;  // not yet written
};

}  // namespace cfd::emulator
