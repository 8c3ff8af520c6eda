#include "once/memory_store.hpp"

namespace cfd::once {

ClaimResult MemoryStore::claim(std::string_view key, std::string_view owner) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  forget(now);
  const auto [at, fresh] = calls_.try_emplace(std::string(key));
  Entry& entry = at->second;
  if (!fresh && entry.owner.empty()) return {Claim::done};
  if (!fresh && entry.owner != owner && entry.until > now) return {Claim::taken};
  entry.owner = owner;
  entry.until = now + lifetimes_.claim;
  return {Claim::granted};
}

std::string MemoryStore::finish(std::string_view key) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = calls_.try_emplace(std::string(key));
  Entry& entry = at->second;
  if (!fresh && entry.owner.empty()) executed_.erase(entry.place);
  entry.owner.clear();
  entry.until = now + lifetimes_.keep;
  entry.place = executed_.insert(executed_.end(), at->first);
  forget(now);
  return {};
}

std::string MemoryStore::release(std::string_view key, std::string_view owner) {
  const std::lock_guard lock(mutex_);
  const auto at = calls_.find(std::string(key));
  if (at != calls_.end() && !owner.empty() && at->second.owner == owner) calls_.erase(at);
  return {};
}

void MemoryStore::forget(Clock::time_point now) {
  while (!executed_.empty()) {
    const auto at = calls_.find(executed_.front());
    if (executed_.size() <= entries_ && at->second.until > now) return;
    calls_.erase(at);
    executed_.pop_front();
  }
}

}  // namespace cfd::once
