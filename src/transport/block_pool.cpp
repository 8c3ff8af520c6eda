#include "transport/block_pool.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include "transport/fork.hpp"

namespace cfd::transport {
namespace {

constexpr std::size_t chain_length = 128;

/// A free block: its own memory holds the links. The last two members count in the first block of a chain
/// only.
struct Block {
  Block* next = nullptr;
  Block* next_chain = nullptr;
  std::size_t length = 0;
};
static_assert(sizeof(Block) <= BlockPool::block_size);

/// Chains that no thread has at hand.
struct Depot {
  const std::uint32_t process;  ///< the fork generation that it belongs to
  std::mutex mutex = {};
  Block* chains = nullptr;
};

/// Never destroyed, because calls may end after every static object has. The child of a fork gets one of its
/// own: the lock of its parent's may be held by a thread that does not exist in it.
Depot& depot() {
  static std::atomic<Depot*> current = nullptr;
  Depot* found = current.load(std::memory_order_acquire);
  while (found == nullptr || found->process != fork_generation()) {
    auto* const fresh = new Depot{.process = fork_generation()};
    if (current.compare_exchange_strong(found, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *found;
}

Block* new_chain() {
  auto* const memory = static_cast<std::byte*>(::operator new(chain_length* BlockPool::block_size));
  Block* chain = nullptr;
  for (std::size_t i = chain_length; i-- > 0;)
    chain = new (memory + i * BlockPool::block_size) Block{.next = chain};
  chain->length = chain_length;
  return chain;
}

/// What one thread has at hand: up to two chains, so that a thread that takes and gives in turns asks nobody.
class Cache {
 public:
  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  void* take() {
    if (count_ == 0) refill();
    --count_;
    return std::exchange(head_, head_->next);
  }

  void give(void* memory) noexcept {
    if (count_ == 2 * chain_length) unload(chain_length);
    head_ = new (memory) Block{.next = head_};
    ++count_;
  }

  ~Cache() {
    while (count_ > 0) unload(count_ < chain_length ? count_ : chain_length);
  }

 private:
  void refill() {
    Depot& all = depot();
    {
      const std::lock_guard lock(all.mutex);
      if (all.chains != nullptr) head_ = std::exchange(all.chains, all.chains->next_chain);
    }
    if (head_ == nullptr) head_ = new_chain();
    count_ = head_->length;
  }

  void unload(std::size_t length) noexcept {
    Block* const chain = head_;
    Block* last = chain;
    for (std::size_t i = 1; i < length; ++i) last = last->next;
    head_ = std::exchange(last->next, nullptr);
    count_ -= length;
    chain->length = length;
    Depot& all = depot();
    const std::lock_guard lock(all.mutex);
    chain->next_chain = std::exchange(all.chains, chain);
  }

  Block* head_ = nullptr;
  std::size_t count_ = 0;
};

Cache& cache() {
  thread_local Cache mine;
  return mine;
}

}  // namespace

void* BlockPool::take() {
  return cache().take();
}
void BlockPool::give(void* block) noexcept {
  cache().give(block);
}

}  // namespace cfd::transport
