#pragma once

/// \file
/// SQLite's statements, for the source files of Database.

#include <cstdint>
#include <string_view>

#include <sqlite3.h>

#include "emulator/database.hpp"

namespace cfd::emulator {

inline std::int64_t to_sql(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value);
}

/// Of a batch's messages as they are kept.
std::uint32_t checksum(std::string_view packed) noexcept;

/// A prepared statement in use: bound, stepped through, reset at the end.
class Database::Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  ~Statement() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  /// The bytes must outlive the statement's use.
  Statement& bind(std::string_view bytes) {
    sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
    return *this;
  }
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) fail(database_, "a statement failed");
    return false;
  }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

}  // namespace cfd::emulator
