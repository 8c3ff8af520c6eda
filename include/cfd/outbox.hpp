#pragma once

/// \file
/// The outbox: calls are written to a local SQLite file before they return, and survive the death of the
/// program. Link cfd::outbox.

#include <filesystem>
#include <functional>

struct sqlite3;

namespace cfd {

/// From now on every call of this program is journalled in `file`, which may be the program's own database,
/// before `f(...)` returns, and is sent from there in the order of the journal. A program that starts again
/// sends what its former run left, each call once as far as Pub/Sub's confirmations tell; one program at a
/// time has a file. A call that Pub/Sub refuses as invalid stays in the journal with the reason and is not
/// sent again; any other failure is tried again for as long as it takes.
///
/// A handle is confirmed when the call has left the journal. cfd::flush waits for that. A normal exit does
/// not: what is left is safe, and sent by the next run.
///
/// Throws Error where the file cannot be opened, ConfigError as the first call would. Thread-safe; call it
/// once.
void open_outbox(const std::filesystem::path& file);

/// Runs `body` inside a transaction of `database`, an open connection to the outbox's file. Calls that `body`
/// makes on this thread are part of the transaction: they are sent if and only if it commits. What `body`
/// throws rolls it back and comes out again, and the handles of its calls fail with ABORTED. Throws Error
/// where SQLite fails.
void transaction(sqlite3* database, const std::function<void()>& body);

}  // namespace cfd
