#pragma once

/// \file
/// The file in which a server keeps its resources and messages: SQLite, write-ahead log, each commit on disk
/// before it is reported. Not thread-safe, except for load().

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "emulator/backlog.hpp"
#include "emulator/message.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace cfd::emulator {

/// What of a batch a holder has not acknowledged. Holders are what messages are kept for, each with a number
/// of its own: subscriptions, snapshots, and whatever keeps messages for a seek.
struct PendingBatch {
  std::uint64_t first_id = 0;
  std::uint32_t size = 0;
  Time publish_time;
  std::vector<bool> acknowledged;  ///< one for each message of the batch
};

struct StoredResource {
  std::string name;
  std::string config;     ///< serialized
  std::uint32_t uid = 0;  ///< of topics, subscriptions and snapshots
};

/// A schema's revisions are one resource each, named SCHEMA@REVISION; a policy has the name of what it is
/// for.
enum class ResourceKind : std::uint8_t { topic = 0, subscription = 1, snapshot = 2, schema = 3, policy = 4 };

class Database {
 public:
  /// Opens or makes the file in `directory`, which is made if need be. Throws cfd::Error, naming the file and
  /// the cause, where the directory cannot be used, belongs to a running server, or the file is damaged.
  explicit Database(const std::string& directory);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // All of these throw cfd::Error with SQLite's reason. Changes belong between begin() and commit().
  void begin();
  void commit();
  void rollback() noexcept;
  void put(ResourceKind kind, const StoredResource& resource);
  void erase(ResourceKind kind, const std::string& name);
  /// Stores a batch for these holders; for none, not at all.
  void insert(const Batch& batch, const std::vector<std::uint32_t>& holders);
  /// Marks messages of one batch as acknowledged; forgets the batch with the last message of the last holder.
  void acknowledge(std::uint32_t holder, std::uint64_t first_id, const std::vector<Range>& ranges);
  /// The opposite. Without effect where the batch is gone.
  void revive(std::uint32_t holder, const Range& range);
  /// Gives `to`, which has nothing, what `from` has.
  void copy_pending(std::uint32_t from, std::uint32_t to);
  /// Forgets all a holder has not acknowledged.
  void drop_pending(std::uint32_t holder);
  /// Forgets what a holder has of batches published before `time`.
  void drop_before(std::uint32_t holder, Time time);
  /// Remembers how often the delivery of a message has failed, until its batch is acknowledged.
  void put_attempts(std::uint32_t holder, std::uint64_t message, std::uint32_t attempts);

  /// For what of resources() its reader cannot read: throws cfd::Error that says so.
  [[noreturn]] void fail_unreadable(const std::string& name) const;

  std::vector<StoredResource> resources(ResourceKind kind);
  void for_each_pending(std::uint32_t holder, const std::function<void(PendingBatch)>& visit);
  std::unordered_map<std::uint64_t, std::uint32_t> attempts(std::uint32_t holder);
  std::uint64_t largest_message_id();

  /// The batch again; null where there is none. Throws cfd::Error where it is damaged. Thread-safe.
  BatchPtr load(std::uint64_t first_id);

 private:
  struct Closer {
    void operator()(sqlite3* database) const noexcept;
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using Handle = std::unique_ptr<sqlite3, Closer>;
  class Statement;

  Handle open(int flags) const;
  void lock_directory(const std::string& directory);
  void create_tables();
  void execute(const char* sql);
  sqlite3_stmt* prepare(const char* sql);
  void forget_pending(std::uint32_t holder, std::uint64_t first_id, std::uint64_t size);
  void forget_pending(std::uint32_t holder,
                      const std::vector<std::pair<std::uint64_t, std::uint64_t>>& batches);
  void add_holder(std::uint64_t first_id);
  [[noreturn]] static void fail(sqlite3* database, const std::string& what);

  std::string path_;
  int lock_ = -1;
  Handle writer_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Closer>, std::less<>> statements_;  // by their SQL

  std::mutex reader_mutex_;
  Handle reader_;
  std::unique_ptr<sqlite3_stmt, Closer> load_statement_;
};

}  // namespace cfd::emulator
