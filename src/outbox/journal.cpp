#include "outbox/journal.hpp"

#include <array>
#include <cstring>

#include <sqlite3.h>

#include <cfd/error.hpp>

namespace cfd::outbox {
namespace {

[[noreturn]] void fail(sqlite3* database, std::string_view what) {
  throw Error("the outbox cannot " + std::string(what) + ": " + sqlite3_errmsg(database));
}

/// A prepared statement.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) : database_(database) {
    if (sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK)
      fail(database, "prepare a statement");
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // The bytes outlive the step, so SQLite makes no copy; to it a null pointer is NULL, not empty.
  void text(int index, std::string_view value) {
    sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void blob(int index, std::string_view value) {
    sqlite3_bind_blob64(statement_, index, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC);
  }
  void number(int index, std::int64_t value) { sqlite3_bind_int64(statement_, index, value); }

  /// Whether there is a row.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) fail(database_, "use its file");
    return result == SQLITE_ROW;
  }

  std::int64_t number_at(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string bytes_at(int column) const {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
  }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

void put(std::string& out, std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size).append(bytes);
}

bool get(std::string_view& in, std::string_view& bytes) {
  std::uint32_t size = 0;
  if (in.size() < sizeof size) return false;
  std::memcpy(&size, in.data(), sizeof size);
  in.remove_prefix(sizeof size);
  if (in.size() < size) return false;
  bytes = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace

std::vector<Attribute> Entry::attributes() const {
  std::vector<Attribute> all;
  std::string_view rest = packed_attributes;
  for (Attribute a; !rest.empty(); all.push_back(a))
    if (!get(rest, a.key) || !get(rest, a.value)) return {};
  return all;
}

void execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(database, sql);
}

void roll_back(sqlite3* database) noexcept {
  if (sqlite3_get_autocommit(database) == 0) sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
}

void append(sqlite3* database, const transport::Outgoing& message, std::string_view call_id) {
  std::string attributes;
  for (const Attribute& a : message.attributes) {
    put(attributes, a.key);
    put(attributes, a.value);
  }
  Statement insert(database,
                   "INSERT INTO cfd_outbox (call_id, data, attributes, ordering_key) VALUES (?, ?, ?, ?)");
  insert.text(1, call_id);
  insert.blob(2, message.data);
  insert.blob(3, attributes);
  insert.text(4, message.ordering_key);
  insert.step();
}

void Journal::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

Journal::Journal(const std::filesystem::path& file) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open(file.c_str(), &opened);
  database_.reset(opened);
  if (result != SQLITE_OK) fail(opened, "open " + file.string());
  sqlite3_busy_timeout(opened, 60'000);
  // With a write-ahead log, readers and the program's own writers do not stop each other. What is committed
  // outlives the process; it outlives a loss of power from the next checkpoint on.
  execute(opened, "PRAGMA journal_mode = WAL");
  execute(opened, "PRAGMA synchronous = NORMAL");
  execute(
      opened,
      "CREATE TABLE IF NOT EXISTS cfd_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL, "
      "data BLOB NOT NULL, attributes BLOB NOT NULL, ordering_key TEXT NOT NULL, refused TEXT)");
}

std::vector<Entry> Journal::oldest(std::size_t limit) const {
  Statement select(database(),
                   "SELECT id, call_id, data, attributes, ordering_key FROM cfd_outbox WHERE refused IS NULL "
                   "ORDER BY id LIMIT ?");
  select.number(1, static_cast<std::int64_t>(limit));
  std::vector<Entry> entries;
  while (select.step())
    entries.push_back({select.number_at(0), select.bytes_at(1), select.bytes_at(2), select.bytes_at(3),
                       select.bytes_at(4)});
  return entries;
}

std::size_t Journal::count() const {
  Statement select(database(), "SELECT count(*) FROM cfd_outbox WHERE refused IS NULL");
  select.step();
  return static_cast<std::size_t>(select.number_at(0));
}

void Journal::remove(const std::vector<std::int64_t>& ids) const {
  if (ids.empty()) return;
  execute(database(), "BEGIN IMMEDIATE");
  for (const std::int64_t id : ids) {
    Statement erase(database(), "DELETE FROM cfd_outbox WHERE id = ?");
    erase.number(1, id);
    erase.step();
  }
  execute(database(), "COMMIT");
}

void Journal::set_aside(std::int64_t id, const std::string& reason) const {
  Statement update(database(), "UPDATE cfd_outbox SET refused = ? WHERE id = ?");
  update.text(1, reason);
  update.number(2, id);
  update.step();
}

}  // namespace cfd::outbox
