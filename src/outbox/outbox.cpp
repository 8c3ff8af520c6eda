#include "outbox/outbox.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <pthread.h>

#include <cfd/error.hpp>
#include <cfd/log.hpp>
#include <cfd/outbox.hpp>

#include "caller/session.hpp"
#include "transport/fork.hpp"

namespace cfd::outbox {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t entries_at_once = 1000;
constexpr milliseconds longest_pause{60'000};

/// How often the file is looked at without news from this process: another one may have written to it.
constexpr milliseconds look_again{1000};

/// The transaction that this thread's calls are part of.
struct Transaction {
  sqlite3* database = nullptr;
  Outbox* outbox = nullptr;
  std::vector<detail::CallStatePtr> calls;
};
thread_local Transaction current;

/// What an error says after its code.
std::string text_of(const PublishError& error) {
  return std::string(error.what()).substr(error.code().size() + 2);
}

}  // namespace

/// An entry that was handed to the sender, or why it could not be.
struct Outbox::Sent {
  detail::CallStatePtr state;
  std::string code;
  std::string text;
};

Outbox::Outbox(const std::filesystem::path& file, transport::Publisher& sender)
    : sender_(sender),
      process_(transport::fork_generation()),
      writer_(file),
      reader_(file),
      left_(reader_.count()) {
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

Outbox::~Outbox() {
  close(transport::Clock::now());
}

void Outbox::check_process() const {
  if (process_ != transport::fork_generation())
    throw PublishError("FAILED_PRECONDITION",
                       "this process was forked from the one that has the outbox open");
}

void Outbox::publish(const transport::Outgoing& message, detail::CallStatePtr call) {
  check_process();
  {
    // Before the entry can be seen, so that the outbox's thread finds the handle.
    const std::lock_guard lock(mutex_);
    if (closed_) throw PublishError("CANCELLED", "the outbox is closed");
    handles_.emplace(call->id(), call);
    ++left_;
  }
  try {
    if (current.database != nullptr) {
      append(current.database, message, call->id());
      current.outbox = this;
      current.calls.push_back(std::move(call));
      return;
    }
    const std::lock_guard lock(write_mutex_);
    append(writer_.database(), message, call->id());
  } catch (...) {
    const std::lock_guard lock(mutex_);
    handles_.erase(std::string(call->id()));
    --left_;
    throw;
  }
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  changed_.notify_all();
}

std::size_t Outbox::flush(transport::Clock::time_point deadline) {
  check_process();
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return left_ == 0 || closed_; });
  return left_;
}

std::size_t Outbox::close(transport::Clock::time_point deadline) {
  if (process_ != transport::fork_generation()) {
    if (thread_.joinable()) thread_.detach();  // the thread is the parent's
    return 0;
  }
  flush(deadline);
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  decltype(handles_) handles;
  std::size_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    handles.swap(handles_);
    left = left_;
  }
  // Without the lock: the hook of a failed call may make calls.
  for (const auto& [id, call] : handles)
    call->fail("CANCELLED", "the outbox was closed: the call is in its file and is sent by the next run");
  return left;
}

void Outbox::begin_transaction(sqlite3* database) {
  if (current.database != nullptr) throw Error("cfd::transaction inside of another one on the same thread");
  current = {database, nullptr, {}};
}

void Outbox::end_transaction(bool committed) {
  Transaction ended = std::exchange(current, {});
  if (ended.outbox == nullptr) return;
  Outbox& self = *ended.outbox;
  {
    const std::lock_guard lock(self.mutex_);
    self.news_ = true;
    if (!committed) {
      self.left_ -= ended.calls.size();
      for (const auto& call : ended.calls) self.handles_.erase(std::string(call->id()));
    }
  }
  self.changed_.notify_all();
  if (!committed)
    for (const auto& call : ended.calls) call->fail("ABORTED", "its transaction was rolled back");
}

// ---- On the outbox's own thread

void Outbox::run() {
  milliseconds pause{0};
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto wake = [this] { return closed_ || news_; };
      if (pause > milliseconds(0)) {
        changed_.wait_for(lock, pause, [this] { return closed_; });
      } else {
        changed_.wait_for(lock, look_again, wake);
      }
      if (closed_) return;
      news_ = false;
    }
    try {
      while (send_oldest()) pause = milliseconds(0);
      pause = milliseconds(0);
    } catch (const std::exception& e) {
      pause = std::clamp(pause * 2, milliseconds(100), longest_pause);
      log::warning("the outbox could not send, trying again in {} ms: {}", pause.count(), e.what());
    }
  }
}

/// Sends one round and waits for it; false where there was nothing. Throws where some of it is to be sent
/// again.
bool Outbox::send_oldest() {
  const std::vector<Entry> entries = reader_.oldest(entries_at_once);
  if (entries.empty()) return false;
  std::vector<Sent> sent;
  for (const Entry& entry : entries) sent.push_back(send(entry));

  std::vector<std::int64_t> confirmed;
  std::vector<std::pair<detail::CallStatePtr, std::string>> handles;
  std::string again;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    try {
      if (!sent[i].state) throw PublishError(sent[i].code, sent[i].text);
      const std::string message_id = sent[i].state->wait_until(transport::Clock::time_point::max());
      confirmed.push_back(entries[i].id);
      if (auto handle = handle_of(entries[i].call_id)) handles.emplace_back(std::move(handle), message_id);
    } catch (const PublishError& e) {
      if (e.code() != "INVALID_ARGUMENT") {
        again = e.what();
        // Later calls with its key are refused by the sender until they come in order again.
        if (!entries[i].ordering_key.empty()) sender_.resume(entries[i].ordering_key);
        continue;
      }
      reader_.set_aside(entries[i].id, e.what());
      if (!entries[i].ordering_key.empty()) sender_.resume(entries[i].ordering_key);
      const auto handle = handle_of(entries[i].call_id);
      if (handle) handle->fail(e.code(), text_of(e));
      const std::lock_guard lock(mutex_);
      if (left_ > 0) --left_;
    }
  }
  reader_.remove(confirmed);
  for (const auto& [handle, message_id] : handles) handle->confirm(message_id);
  {
    const std::lock_guard lock(mutex_);
    left_ -= std::min(left_, confirmed.size());
  }
  changed_.notify_all();
  if (!again.empty()) throw Error(again);
  return true;
}

Outbox::Sent Outbox::send(const Entry& entry) {
  auto state = detail::make_call_state(entry.call_id);
  const std::vector<Attribute> attributes = entry.attributes();
  try {
    sender_.publish({entry.data, attributes, entry.ordering_key}, state);
    return {std::move(state), {}, {}};
  } catch (const PublishError& e) {
    return {nullptr, e.code(), text_of(e)};
  }
}

detail::CallStatePtr Outbox::handle_of(const std::string& call_id) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(call_id);
  if (found == handles_.end()) return nullptr;
  auto handle = std::move(found->second);
  handles_.erase(found);
  return handle;
}

}  // namespace cfd::outbox

namespace cfd {

void open_outbox(const std::filesystem::path& file) {
  caller::replace_publisher(std::make_shared<outbox::Outbox>(file, caller::publisher()));
}

void transaction(sqlite3* database, const std::function<void()>& body) {
  outbox::Outbox::begin_transaction(database);
  bool begun = false;
  try {
    outbox::execute(database, "BEGIN IMMEDIATE");
    begun = true;
    body();
    outbox::execute(database, "COMMIT");
  } catch (...) {
    // Before the handles hear of it: whoever waits for one may go on to use the connection.
    if (begun) outbox::roll_back(database);
    outbox::Outbox::end_transaction(false);
    throw;
  }
  outbox::Outbox::end_transaction(true);
}

}  // namespace cfd
