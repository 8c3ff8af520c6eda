#pragma once

/// \file
/// Executed calls, remembered in an SQLite file that all workers of one machine share.

#include <memory>
#include <mutex>

#include "once/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace cfd::stores {

/// What is recorded outlives the process. After a loss of power the last moments may be missing. The file
/// must be on a local file system.
class SqliteStore final : public once::Store {
 public:
  /// Opens or creates the file. Throws Error, with the path and the cause, where that fails.
  SqliteStore(const std::string& path, once::Lifetimes lifetimes);
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;
  ~SqliteStore() override;

  once::ClaimResult claim(std::string_view key, std::string_view owner) override;
  std::string finish(std::string_view key) override;
  std::string release(std::string_view key, std::string_view owner) override;

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const noexcept;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  std::string path_;
  Statement prepare(const char* sql);
  int step(const Statement& statement);  // one that returns no rows
  std::string error() const;
  void forget_expired(std::int64_t now);

  const once::Lifetimes lifetimes_;
  std::mutex mutex_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  Statement claim_, look_, finish_, release_, forget_;
  unsigned since_forgetting_ = 0;
};

}  // namespace cfd::stores
