// The caller that is killed in the midst of its work: survivor MODE FILE FIRST, with an outbox in FILE.
//   calls   makes calls from number FIRST on, and prints each number when its call has returned
//   orders  writes orders from number FIRST on to a table in FILE, each with its call in one transaction,
//   prints each rest    sends what former runs have left
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sqlite3.h>

#include <cfd/call.hpp>
#include <cfd/error.hpp>
#include <cfd/outbox.hpp>

#include "integration/functions.hpp"

namespace {

void print(int number) {
  std::printf("made %d;\n", number);
  std::fflush(stdout);
}

void execute(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw cfd::Error(sqlite3_errmsg(database));
}

[[noreturn]] void make_calls(int number) {
  for (;; ++number) {
    functions::say("call #" + std::to_string(number) + ";");
    print(number);
  }
}

[[noreturn]] void take_orders(const char* file, int number) {
  sqlite3* database = nullptr;
  if (sqlite3_open(file, &database) != SQLITE_OK) throw cfd::Error("no database");
  sqlite3_busy_timeout(database, 60'000);
  execute(database, "CREATE TABLE IF NOT EXISTS orders (number INTEGER)");
  for (;; ++number) {
    cfd::transaction(database, [&] {
      execute(database, "INSERT INTO orders VALUES (" + std::to_string(number) + ")");
      functions::say("call #" + std::to_string(number) + ";");
    });
    print(number);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) return 64;
  const std::string mode = argv[1];
  const int first = std::stoi(argv[3]);
  cfd::open_outbox(argv[2]);
  if (mode == "calls") make_calls(first);
  if (mode == "orders") take_orders(argv[2], first);
  return cfd::flush(std::chrono::seconds(120)) ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
