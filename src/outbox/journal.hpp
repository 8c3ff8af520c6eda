#pragma once

/// \file
/// The table of journalled calls. One connection each; not thread-safe.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transport/transport.hpp"

struct sqlite3;

namespace cfd::outbox {

/// A journalled call, its attributes as views into `packed_attributes`.
struct Entry {
  std::int64_t id = 0;
  std::string call_id;
  std::string data;
  std::string packed_attributes;
  std::string ordering_key;

  /// Empty where the row is damaged.
  std::vector<Attribute> attributes() const;
};

/// Runs SQL that returns nothing. Throws Error with SQLite's message.
void execute(sqlite3* database, const char* sql);

/// Rolls back what SQLite has not rolled back by itself.
void roll_back(sqlite3* database) noexcept;

/// Appends a call by any connection to the file. Throws Error.
void append(sqlite3* database, const transport::Outgoing& message, std::string_view call_id);

class Journal {
 public:
  /// Opens or creates the file and the table. Throws Error.
  explicit Journal(const std::filesystem::path& file);

  sqlite3* database() const noexcept { return database_.get(); }

  /// The oldest calls that are to be sent.
  std::vector<Entry> oldest(std::size_t limit) const;

  std::size_t count() const;

  /// Takes out calls that were confirmed, all at once.
  void remove(const std::vector<std::int64_t>& ids) const;

  /// Sets a call aside that will never succeed.
  void set_aside(std::int64_t id, const std::string& reason) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace cfd::outbox
