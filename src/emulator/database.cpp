#include "emulator/database.hpp"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <cfd/error.hpp>

#include "emulator/database_statement.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

constexpr int format_version = 3;
constexpr int application_id = 0x63666450;  // "cfdP"
constexpr const char* attempt_table =       // new in format 2
    "CREATE TABLE attempt (subscription INTEGER, message INTEGER, attempts INTEGER,"
    " PRIMARY KEY (subscription, message)) WITHOUT ROWID;";

constexpr const char* checksum_column = "ALTER TABLE batch ADD COLUMN checksum INTEGER;";  // new in format 3

BatchPtr unpack(std::string_view packed, std::uint64_t first_id, Time publish_time) {
  std::vector<std::string_view> messages;
  wire::Reader reader(packed);
  for (wire::Field field; reader.next(field);) messages.push_back(field.bytes);
  return restore_batch(messages, first_id, publish_time);
}

constexpr const char* way_out =
    "restore the directory from a copy, or start with another; its other messages can still be delivered";

}  // namespace

void Database::Closer::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}
void Database::Closer::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Database::fail(sqlite3* database, const std::string& what) {
  throw Error(fmt::format("the data directory's file {}: {}: {}", sqlite3_db_filename(database, "main"), what,
                          sqlite3_errmsg(database)));
}

Database::Database(const std::string& directory)
    : path_((std::filesystem::path(directory) / "pubsub.db").string()) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw Error(fmt::format("the data directory {} cannot be made: {}", directory, error.message()));
  lock_directory(directory);
  writer_ = open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  create_tables();
  reader_ = open(SQLITE_OPEN_READONLY);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(reader_.get(),
                         "SELECT publish_time, messages, checksum FROM batch WHERE first_id = ?", -1,
                         &statement, nullptr) != SQLITE_OK) {
    fail(reader_.get(), "it is damaged");
  }
  load_statement_.reset(statement);
}

Database::~Database() {
  statements_.clear();
  load_statement_.reset();
  if (lock_ >= 0) close(lock_);
}

/// Two servers on one directory would each acknowledge what the other has.
void Database::lock_directory(const std::string& directory) {
  const auto path = (std::filesystem::path(directory) / "lock").string();
  lock_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock_ < 0) throw Error(fmt::format("the data directory {} cannot be written", directory));
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(std::exchange(lock_, -1));
    throw Error(fmt::format(
        "the data directory {} is in use by another server; stop it, or name another directory", directory));
  }
}

Database::Handle Database::open(int flags) const {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path_.c_str(), &handle, flags, nullptr);
  Handle database(handle);
  if (result != SQLITE_OK) throw Error(fmt::format("{} cannot be opened: {}", path_, sqlite3_errstr(result)));
  sqlite3_busy_timeout(handle, 10'000);
  return database;
}

void Database::create_tables() {
  execute("PRAGMA page_size = 16384");
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = FULL");
  execute("PRAGMA wal_autocheckpoint = 4096");
  std::int64_t version = 0;
  std::int64_t owner = 0;
  {
    Statement read(writer_.get(), prepare("PRAGMA user_version"));
    if (read.step()) version = read.integer(0);
    Statement read_owner(writer_.get(), prepare("PRAGMA application_id"));
    if (read_owner.step()) owner = read_owner.integer(0);
  }
  if (version == format_version && owner == application_id) return;
  if ((version == 1 || version == 2) && owner == application_id) {
    execute(fmt::format("BEGIN; {} {} PRAGMA user_version = {}; COMMIT", version == 1 ? attempt_table : "",
                        checksum_column, format_version)
                .c_str());
    return;
  }
  if (version != 0 || owner != 0) {
    throw Error(
        fmt::format("{} is of another program, or of another version of this one (format {}, here {})", path_,
                    version, format_version));
  }
  execute(
      "BEGIN;"
      "CREATE TABLE resource (kind INTEGER, name BLOB, uid INTEGER, config BLOB, PRIMARY KEY (kind, name)) "
      "WITHOUT ROWID;"
      // `holders` counts the subscriptions that have not acknowledged all of the batch.
      "CREATE TABLE batch (first_id INTEGER PRIMARY KEY, size INTEGER, publish_time INTEGER, holders "
      "INTEGER, messages BLOB, checksum INTEGER);"
      "CREATE TABLE pending (subscription INTEGER, first_id INTEGER, acknowledged BLOB,"
      " PRIMARY KEY (subscription, first_id)) WITHOUT ROWID;");
  execute(fmt::format("{} PRAGMA user_version = {}; PRAGMA application_id = {}; COMMIT", attempt_table,
                      format_version, application_id)
              .c_str());
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(writer_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(writer_.get(), "it cannot be used");
}

sqlite3_stmt* Database::prepare(const char* sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(writer_.get(), sql, -1, &made, nullptr) != SQLITE_OK)
      fail(writer_.get(), "it is damaged");
    statement.reset(made);
  }
  return statement.get();
}

void Database::begin() {
  Statement(writer_.get(), prepare("BEGIN IMMEDIATE")).step();
}
void Database::commit() {
  Statement(writer_.get(), prepare("COMMIT")).step();
}
void Database::rollback() noexcept {
  sqlite3_exec(writer_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::put(ResourceKind kind, const StoredResource& resource) {
  Statement(writer_.get(),
            prepare("INSERT OR REPLACE INTO resource (kind, name, uid, config) VALUES (?, ?, ?, ?)"))
      .bind(static_cast<std::int64_t>(kind))
      .bind(resource.name)
      .bind(std::int64_t{resource.uid})
      .bind(resource.config)
      .step();
}

void Database::erase(ResourceKind kind, const std::string& name) {
  Statement(writer_.get(), prepare("DELETE FROM resource WHERE kind = ? AND name = ?"))
      .bind(static_cast<std::int64_t>(kind))
      .bind(name)
      .step();
}

std::vector<StoredResource> Database::resources(ResourceKind kind) {
  std::vector<StoredResource> found;
  Statement read(writer_.get(),
                 prepare("SELECT name, uid, config FROM resource WHERE kind = ? ORDER BY name"));
  for (read.bind(static_cast<std::int64_t>(kind)); read.step();) {
    found.push_back({std::string(read.bytes(0)), std::string(read.bytes(2)),
                     static_cast<std::uint32_t>(read.integer(1))});
  }
  return found;
}

std::uint32_t checksum(std::string_view packed) noexcept {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(packed.data()), packed.size()));
}

void Database::fail_unreadable(const std::string& name) const {
  throw Error(
      fmt::format("the data directory's file {} is damaged: what it says of {} cannot be read; restore the "
                  "directory from a copy, or start with another",
                  path_, name));
}

std::uint64_t Database::largest_message_id() {
  Statement read(writer_.get(), prepare("SELECT max(first_id + size) FROM batch"));
  return read.step() ? static_cast<std::uint64_t>(read.integer(0)) : 0;
}

BatchPtr Database::load(std::uint64_t first_id) {
  const std::lock_guard lock(reader_mutex_);
  Statement read(reader_.get(), load_statement_.get());
  if (!read.bind(to_sql(first_id)).step()) return nullptr;
  const auto packed = read.bytes(1);
  // SQLite checks its own pages' structure, and nothing of what they hold. Batches of format 2 have no
  // checksum.
  if (!read.is_null(2) && read.integer(2) != std::int64_t{checksum(packed)})
    throw Error(
        fmt::format("the data directory's file {} is damaged: the messages from {} on do not have the "
                    "checksum that they were written with; {}",
                    path_, first_id, way_out));
  return unpack(packed, first_id, Time{Duration{read.integer(0)}});
}

}  // namespace cfd::emulator
