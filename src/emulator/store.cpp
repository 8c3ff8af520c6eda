#include "emulator/store.hpp"

#include <chrono>
#include <utility>

#include <cfd/error.hpp>

namespace cfd::emulator {

namespace {

/// How long to wait before writing again after a failure, such as a full disk.
constexpr std::chrono::milliseconds retry_pause{200};

}  // namespace

Store::Store(const std::string& directory) : database_(directory) {}

Store::~Store() {
  stop();
}

void Store::start() {
  thread_ = std::thread([this] { run(); });
}

void Store::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Store::add(Operation operation) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(operation));
  }
  changed_.notify_one();
}

void Store::put(ResourceKind kind, StoredResource resource) {
  add({[this, kind, resource = std::move(resource)] { database_.put(kind, resource); }, {}, true});
}

void Store::erase(ResourceKind kind, const std::string& name) {
  add({[this, kind, name] { database_.erase(kind, name); }, {}, true});
}

void Store::set_topic(std::uint32_t holder, const std::string& topic) {
  for (auto& [other, holders] : holders_) holders.erase(holder);
  if (!topic.empty()) holders_[topic].insert(holder);
}

void Store::hold(std::uint32_t holder, const std::string& topic) {
  add({[this, holder, topic] { set_topic(holder, topic); }, {}, true});
}

void Store::hold_copy(std::uint32_t holder, std::uint32_t source, const std::string& topic) {
  add({[this, holder, source, topic] {
         apply_acknowledgements();
         set_topic(holder, topic);
         database_.copy_pending(source, holder);
       },
       {},
       true});
}

void Store::release(std::uint32_t holder) {
  add({[this, holder] {
         set_topic(holder, {});
         database_.drop_pending(holder);
       },
       {},
       true});
}

void Store::drop_before(std::uint32_t holder, Time time) {
  add({[this, holder, time] { database_.drop_before(holder, time); }, {}, true});
}

void Store::publish(const std::string& topic, BatchPtr batch, Done done, bool insist) {
  add({[this, topic, batch = std::move(batch)] {
         const auto found = holders_.find(topic);
         if (found == holders_.end()) return;
         database_.insert(*batch, {found->second.begin(), found->second.end()});
       },
       std::move(done), insist});
}

void Store::acknowledge(std::uint32_t holder, std::vector<Range> ranges) {
  for (auto& range : ranges) range.batch = nullptr;  // Their memory is not needed for this.
  add({[this, holder, ranges = std::move(ranges)] {
         for (const auto& range : ranges) acknowledged_[{holder, range.first_id}].push_back(range);
       },
       {},
       true});
}

void Store::revive(std::uint32_t holder, std::vector<Range> ranges) {
  for (auto& range : ranges) range.batch = nullptr;
  add({[this, holder, ranges = std::move(ranges)] {
         apply_acknowledgements();  // They came before.
         for (const auto& range : ranges) database_.revive(holder, range);
       },
       {},
       true});
}

void Store::put_attempts(std::uint32_t holder,
                         std::vector<std::pair<std::uint64_t, std::uint32_t>> attempts) {
  add({[this, holder, attempts = std::move(attempts)] {
         for (const auto& [message, count] : attempts) database_.put_attempts(holder, message, count);
       },
       {},
       true});
}

void Store::when_durable(Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (writing_ || !queue_.empty()) {
      queue_.push_back({[] {}, std::move(done), false});
      return;
    }
  }
  done({});
}

void Store::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto operations = std::exchange(queue_, {});
    writing_ = true;
    lock.unlock();
    write(std::move(operations));
    lock.lock();
    writing_ = false;
  }
}

/// One transaction. Where it fails, publishers are told and may try again; what cannot be told is kept for
/// the next one.
void Store::write(std::vector<Operation> operations) {
  Status status;
  try {
    database_.begin();
    for (const auto& operation : operations) operation.apply();
    apply_acknowledgements();
    database_.commit();
  } catch (const Error& error) {
    database_.rollback();
    acknowledged_.clear();  // They come again, with all others that must not be lost.
    status = {Code::unavailable, error.what()};
  }
  report(status);
  std::vector<Operation> again;
  for (auto& operation : operations) {
    if (!status.ok() && operation.repeat)
      again.push_back(std::move(operation));
    else if (operation.done)
      operation.done(status);
  }
  if (again.empty()) return;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, retry_pause, [&] { return stopping_; });
  if (stopping_) return;  // The disk does not take it; what was not written was not confirmed.
  queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
}

void Store::report(const Status& status) {
  if (in_trouble_ == !status.ok()) return;
  in_trouble_ = !status.ok();
  if (on_trouble_) on_trouble_(status.message);
}

void Store::apply_acknowledgements() {
  for (const auto& [place, ranges] : acknowledged_) database_.acknowledge(place.first, place.second, ranges);
  acknowledged_.clear();
}

}  // namespace cfd::emulator
