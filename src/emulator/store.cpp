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

void Store::put_topic(const std::string& name, std::string config) {
  add({[this, name, config = std::move(config)] {
         database_.put(ResourceKind::topic, {name, config});
       },
       {},
       true});
}

void Store::erase_topic(const std::string& name) {
  add({[this, name] { database_.erase(ResourceKind::topic, name); }, {}, true});
}

void Store::put_subscription(const std::string& name, std::uint32_t uid, const std::string& topic,
                             std::string config) {
  add({[this, name, uid, topic, config = std::move(config)] {
         for (auto& [other, uids] : topics_) uids.erase(uid);
         topics_[topic].emplace(uid, true);
         database_.put(ResourceKind::subscription, {name, config, uid});
       },
       {},
       true});
}

void Store::erase_subscription(const std::string& name, std::uint32_t uid) {
  add({[this, name, uid] {
         for (auto& [topic, uids] : topics_) uids.erase(uid);
         database_.erase(ResourceKind::subscription, name);
         database_.drop_pending(uid);
       },
       {},
       true});
}

void Store::drop_pending(std::uint32_t uid) {
  add({[this, uid] { database_.drop_pending(uid); }, {}, true});
}

void Store::publish(const std::string& topic, BatchPtr batch, Done done) {
  add({[this, topic, batch = std::move(batch)] {
         std::vector<std::uint32_t> subscriptions;
         if (const auto found = topics_.find(topic); found != topics_.end()) {
           for (const auto& [uid, present] : found->second) subscriptions.push_back(uid);
         }
         database_.insert(*batch, subscriptions);
       },
       std::move(done), false});
}

void Store::acknowledge(std::uint32_t uid, const std::vector<MessageRef>& messages) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> indexes;
  indexes.reserve(messages.size());
  for (const auto& message : messages) indexes.emplace_back(message.batch->id(0), message.index);
  add({[this, uid, indexes = std::move(indexes)] {
         for (const auto& [first_id, index] : indexes) acknowledged_[{uid, first_id}].push_back(index);
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
    acknowledged_.clear();
  } catch (const Error& error) {
    database_.rollback();
    status = {Code::unavailable, error.what()};
  }
  std::vector<Operation> again;
  for (auto& operation : operations) {
    if (!status.ok() && operation.repeat)
      again.push_back(std::move(operation));
    else if (operation.done)
      operation.done(status);
  }
  if (again.empty()) return;
  acknowledged_.clear();  // They are in `again`, with all others.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, retry_pause, [&] { return stopping_; });
  if (stopping_) return;  // The disk does not take it; what was not written was not confirmed.
  queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
}

void Store::apply_acknowledgements() {
  for (const auto& [place, indexes] : acknowledged_)
    database_.acknowledge(place.first, place.second, indexes);
}

}  // namespace cfd::emulator
