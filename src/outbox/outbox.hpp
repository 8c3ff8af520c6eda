#pragma once

/// \file
/// A publisher that journals, in front of one that sends.

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "outbox/journal.hpp"
#include "transport/transport.hpp"

namespace cfd::outbox {

/// See cfd/outbox.hpp. Thread-safe.
class Outbox final : public transport::Publisher {
 public:
  /// `sender` must outlive the outbox. Throws Error.
  Outbox(const std::filesystem::path& file, transport::Publisher& sender);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() override;

  /// Journals, and returns when that is done. Throws Error where it cannot.
  void publish(const transport::Outgoing& message, detail::CallStatePtr call) override;

  /// Waits until nothing is left to be sent. Returns how many calls are.
  std::size_t flush(transport::Clock::time_point deadline) override;

  /// As flush, and then sends no more. What is left is in the file.
  std::size_t close(transport::Clock::time_point deadline) override;

  void resume(std::string_view ordering_key) override { sender_.resume(ordering_key); }
  void resume_all() override { sender_.resume_all(); }

  /// Makes the calls of this thread part of a transaction of `database` until end_transaction.
  static void begin_transaction(sqlite3* database);
  static void end_transaction(bool committed);

 private:
  struct Sent;

  void run();
  bool send_oldest();
  Sent send(const Entry& entry);
  detail::CallStatePtr handle_of(const std::string& call_id);
  void check_process() const;

  transport::Publisher& sender_;
  const std::uint32_t process_;
  std::mutex write_mutex_;
  Journal writer_;  ///< guarded by write_mutex_
  Journal reader_;  ///< of the outbox's own thread

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, detail::CallStatePtr>
      handles_;  ///< guarded by mutex_, as all that follows; by call id
  std::size_t left_ = 0;
  bool news_ = true;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace cfd::outbox
