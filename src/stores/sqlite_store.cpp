#include "stores/sqlite_store.hpp"

#include <thread>

#include <sqlite3.h>

#include <cfd/error.hpp>

namespace cfd::stores {
namespace {

using once::Claim;
using once::ClaimResult;

// How long one worker waits for another's transaction, which takes milliseconds.
constexpr int busy_timeout_ms = 10'000;
constexpr int attempts_to_open = 50;
constexpr std::chrono::milliseconds between_attempts{20};

// Expired rows are dropped in passing, a few at a time.
constexpr unsigned forget_every = 64;

// No owner: executed. Times are milliseconds since the epoch, because processes share no other clock.
constexpr const char* schema =
    "CREATE TABLE IF NOT EXISTS cfd_once (key TEXT PRIMARY KEY, owner TEXT, until INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE INDEX IF NOT EXISTS cfd_once_until ON cfd_once (until)";

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void bind(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

}  // namespace

void SqliteStore::CloseDatabase::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

void SqliteStore::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

SqliteStore::SqliteStore(const std::string& path, once::Lifetimes lifetimes)
    : path_(path), lifetimes_(lifetimes) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open(path.c_str(), &opened);
  database_.reset(opened);
  if (result != SQLITE_OK) throw Error(error());
  sqlite3_busy_timeout(opened, busy_timeout_ms);
  // Workers that start together may meet while one of them turns the log on, which SQLite does not wait for.
  int status = SQLITE_BUSY;
  for (int attempt = 0; status == SQLITE_BUSY && attempt < attempts_to_open; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(between_attempts);
    status = sqlite3_exec(opened, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", nullptr, nullptr,
                          nullptr);
    if (status == SQLITE_OK) status = sqlite3_exec(opened, schema, nullptr, nullptr, nullptr);
  }
  if (status != SQLITE_OK) throw Error(error());
  claim_ = prepare(
      "INSERT INTO cfd_once (key, owner, until) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET owner = "
      "?2, until = ?3 WHERE until <= ?4 OR owner = ?2");
  look_ = prepare("SELECT owner IS NULL FROM cfd_once WHERE key = ?1");
  finish_ = prepare(
      "INSERT INTO cfd_once (key, owner, until) VALUES (?1, NULL, ?2) ON CONFLICT (key) DO UPDATE SET owner "
      "= "
      "NULL, until = ?2");
  release_ = prepare("DELETE FROM cfd_once WHERE key = ?1 AND owner = ?2");
  forget_ = prepare(
      "DELETE FROM cfd_once WHERE key IN (SELECT key FROM cfd_once WHERE until <= ?1 ORDER BY until LIMIT "
      "256)");
}

SqliteStore::~SqliteStore() = default;

ClaimResult SqliteStore::claim(std::string_view key, std::string_view owner) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = now_ms();
  bind(claim_.get(), 1, key);
  bind(claim_.get(), 2, owner);
  sqlite3_bind_int64(claim_.get(), 3, now + lifetimes_.claim.count());
  sqlite3_bind_int64(claim_.get(), 4, now);
  if (step(claim_) != SQLITE_DONE) return {Claim::failed, error()};
  if (sqlite3_changes(database_.get()) == 1) return {Claim::granted};
  bind(look_.get(), 1, key);
  const int result = sqlite3_step(look_.get());
  const bool done = result == SQLITE_ROW && sqlite3_column_int(look_.get(), 0) != 0;
  sqlite3_reset(look_.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) return {Claim::failed, error()};
  return {done ? Claim::done : Claim::taken};  // no row: it was given back this instant
}

std::string SqliteStore::finish(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = now_ms();
  bind(finish_.get(), 1, key);
  sqlite3_bind_int64(finish_.get(), 2, now + lifetimes_.keep.count());
  if (step(finish_) != SQLITE_DONE) return error();
  forget_expired(now);
  return {};
}

std::string SqliteStore::release(std::string_view key, std::string_view owner) {
  const std::lock_guard lock(mutex_);
  bind(release_.get(), 1, key);
  bind(release_.get(), 2, owner);
  return step(release_) == SQLITE_DONE ? std::string() : error();
}

void SqliteStore::forget_expired(std::int64_t now) {
  if (++since_forgetting_ < forget_every) return;
  since_forgetting_ = 0;
  sqlite3_bind_int64(forget_.get(), 1, now);
  step(forget_);  // what is left now is dropped by the next
}

SqliteStore::Statement SqliteStore::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) throw Error(error());
  return Statement(statement);
}

int SqliteStore::step(const Statement& statement) {
  const int result = sqlite3_step(statement.get());
  const int reset = sqlite3_reset(statement.get());
  return result == SQLITE_DONE ? result : reset;
}

std::string SqliteStore::error() const {
  return path_ + ": " + sqlite3_errmsg(database_.get());
}

}  // namespace cfd::stores
