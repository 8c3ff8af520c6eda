// The parts of Database that keep messages, and who has not acknowledged them.
#include <algorithm>

#include "emulator/database_statement.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

/// A batch's messages, each with its length before it.
std::string pack(const Batch& batch) {
  std::string packed;
  packed.reserve(batch.bytes().size() + batch.size() * 4);
  for (std::size_t i = 0; i < batch.size(); ++i) wire::append_bytes(packed, 1, batch.wire(i));
  return packed;
}

std::string to_bits(const std::vector<bool>& flags) {
  std::string bits((flags.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) bits[i / 8] = static_cast<char>(static_cast<unsigned char>(bits[i / 8]) | (1U << (i % 8)));
  }
  return bits;
}

std::vector<bool> from_bits(std::string_view bits, std::size_t size) {
  std::vector<bool> flags(size);
  for (std::size_t i = 0; i < size && i / 8 < bits.size(); ++i) {
    flags[i] = ((static_cast<unsigned char>(bits[i / 8]) >> (i % 8)) & 1U) != 0;
  }
  return flags;
}

}  // namespace

void Database::insert(const Batch& batch, const std::vector<std::uint32_t>& holders) {
  if (holders.empty()) return;
  const auto packed = pack(batch);
  Statement(writer_.get(), prepare("INSERT INTO batch (first_id, size, publish_time, holders, messages, "
                                   "checksum) VALUES (?, ?, ?, ?, ?, ?)"))
      .bind(to_sql(batch.id(0)))
      .bind(to_sql(batch.size()))
      .bind(batch.publish_time().time_since_epoch().count())
      .bind(to_sql(holders.size()))
      .bind(packed)
      .bind(std::int64_t{checksum(packed)})
      .step();
  for (const auto holder : holders) {
    Statement(writer_.get(),
              prepare("INSERT INTO pending (subscription, first_id, acknowledged) VALUES (?, ?, x'')"))
        .bind(std::int64_t{holder})
        .bind(to_sql(batch.id(0)))
        .step();
  }
}

void Database::acknowledge(std::uint32_t holder, std::uint64_t first_id, const std::vector<Range>& ranges) {
  std::vector<bool> flags;
  {
    Statement read(writer_.get(),
                   prepare("SELECT batch.size, acknowledged FROM pending JOIN batch USING (first_id)"
                           " WHERE subscription = ? AND first_id = ?"));
    if (!read.bind(std::int64_t{holder}).bind(to_sql(first_id)).step()) return;
    flags = from_bits(read.bytes(1), static_cast<std::size_t>(read.integer(0)));
  }
  for (const auto& range : ranges) {
    for (auto i = range.next; i < range.end && i < flags.size(); ++i) flags[i] = true;
  }
  if (std::find(flags.begin(), flags.end(), false) == flags.end())
    return forget_pending(holder, first_id, flags.size());
  const auto bits = to_bits(flags);
  Statement(writer_.get(),
            prepare("UPDATE pending SET acknowledged = ? WHERE subscription = ? AND first_id = ?"))
      .bind(bits)
      .bind(std::int64_t{holder})
      .bind(to_sql(first_id))
      .step();
}

void Database::revive(std::uint32_t holder, const Range& range) {
  std::vector<bool> flags;
  bool pending = false;
  {
    Statement read(writer_.get(),
                   prepare("SELECT batch.size, pending.acknowledged, pending.first_id IS NOT NULL FROM batch"
                           " LEFT JOIN pending ON pending.first_id = batch.first_id AND subscription = ?"
                           " WHERE batch.first_id = ?"));
    if (!read.bind(std::int64_t{holder}).bind(to_sql(range.first_id)).step()) return;
    const auto size = static_cast<std::size_t>(read.integer(0));
    pending = read.integer(2) != 0;
    flags = pending ? from_bits(read.bytes(1), size) : std::vector<bool>(size, true);
  }
  for (auto i = range.next; i < range.end && i < flags.size(); ++i) flags[i] = false;
  const auto bits = to_bits(flags);
  Statement(writer_.get(),
            prepare("INSERT OR REPLACE INTO pending (subscription, first_id, acknowledged) VALUES (?, ?, ?)"))
      .bind(std::int64_t{holder})
      .bind(to_sql(range.first_id))
      .bind(bits)
      .step();
  if (!pending) add_holder(range.first_id);
}

void Database::add_holder(std::uint64_t first_id) {
  Statement(writer_.get(), prepare("UPDATE batch SET holders = holders + 1 WHERE first_id = ?"))
      .bind(to_sql(first_id))
      .step();
}

void Database::copy_pending(std::uint32_t from, std::uint32_t to) {
  Statement(writer_.get(),
            prepare("UPDATE batch SET holders = holders + 1"
                    " WHERE first_id IN (SELECT first_id FROM pending WHERE subscription = ?)"))
      .bind(std::int64_t{from})
      .step();
  Statement(writer_.get(), prepare("INSERT INTO pending (subscription, first_id, acknowledged)"
                                   " SELECT ?, first_id, acknowledged FROM pending WHERE subscription = ?"))
      .bind(std::int64_t{to})
      .bind(std::int64_t{from})
      .step();
}

void Database::forget_pending(std::uint32_t holder, std::uint64_t first_id, std::uint64_t size) {
  Statement(writer_.get(), prepare("DELETE FROM pending WHERE subscription = ? AND first_id = ?"))
      .bind(std::int64_t{holder})
      .bind(to_sql(first_id))
      .step();
  Statement(writer_.get(),
            prepare("DELETE FROM attempt WHERE subscription = ? AND message >= ? AND message < ?"))
      .bind(std::int64_t{holder})
      .bind(to_sql(first_id))
      .bind(to_sql(first_id + size))
      .step();
  Statement(writer_.get(), prepare("UPDATE batch SET holders = holders - 1 WHERE first_id = ?"))
      .bind(to_sql(first_id))
      .step();
  Statement(writer_.get(), prepare("DELETE FROM batch WHERE first_id = ? AND holders <= 0"))
      .bind(to_sql(first_id))
      .step();
}

void Database::forget_pending(std::uint32_t holder,
                              const std::vector<std::pair<std::uint64_t, std::uint64_t>>& batches) {
  for (const auto& [first_id, size] : batches) forget_pending(holder, first_id, size);
}

void Database::drop_pending(std::uint32_t holder) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> batches;
  for_each_pending(
      holder, [&](const PendingBatch& pending) { batches.emplace_back(pending.first_id, pending.size); });
  forget_pending(holder, batches);
}

void Database::drop_before(std::uint32_t holder, Time time) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> batches;
  {
    Statement read(writer_.get(), prepare("SELECT first_id, batch.size, publish_time FROM pending JOIN batch"
                                          " USING (first_id) WHERE subscription = ? ORDER BY first_id"));
    // Ids follow the time of publication, but for what was published at once.
    for (read.bind(std::int64_t{holder}); read.step() && Time{Duration{read.integer(2)}} <= time;)
      batches.emplace_back(read.integer(0), read.integer(1));
  }
  forget_pending(holder, batches);
}

void Database::put_attempts(std::uint32_t holder, std::uint64_t message, std::uint32_t attempts) {
  Statement(writer_.get(),
            prepare("INSERT OR REPLACE INTO attempt (subscription, message, attempts) VALUES (?, ?, ?)"))
      .bind(std::int64_t{holder})
      .bind(to_sql(message))
      .bind(std::int64_t{attempts})
      .step();
}

void Database::for_each_pending(std::uint32_t holder, const std::function<void(PendingBatch)>& visit) {
  Statement read(writer_.get(),
                 prepare("SELECT first_id, batch.size, publish_time, acknowledged FROM pending JOIN batch"
                         " USING (first_id) WHERE subscription = ? ORDER BY first_id"));
  for (read.bind(std::int64_t{holder}); read.step();) {
    const auto size = static_cast<std::uint32_t>(read.integer(1));
    visit({static_cast<std::uint64_t>(read.integer(0)), size, Time{Duration{read.integer(2)}},
           from_bits(read.bytes(3), size)});
  }
}

std::unordered_map<std::uint64_t, std::uint32_t> Database::attempts(std::uint32_t holder) {
  std::unordered_map<std::uint64_t, std::uint32_t> found;
  Statement read(writer_.get(), prepare("SELECT message, attempts FROM attempt WHERE subscription = ?"));
  for (read.bind(std::int64_t{holder}); read.step();)
    found.emplace(static_cast<std::uint64_t>(read.integer(0)), static_cast<std::uint32_t>(read.integer(1)));
  return found;
}

}  // namespace cfd::emulator
