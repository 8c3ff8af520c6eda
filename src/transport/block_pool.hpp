#pragma once

/// \file
/// Memory for the states of calls. They are allocated on one thread and freed on another, a million times a
/// second, which is what malloc's per-thread caches are worst at.

#include <cstddef>
#include <new>

namespace cfd::transport {

/// Blocks of one size. Each thread keeps some at hand and exchanges whole chains of them with the others.
/// Memory is kept for reuse, never given back. Thread-safe.
struct BlockPool {
  static constexpr std::size_t block_size = 96;

  static void* take();
  static void give(void* block) noexcept;
};

/// A standard allocator on top of it, for one object at a time; what does not fit a block comes from the
/// heap.
template <class T>
struct PoolAllocator {
  using value_type = T;

  PoolAllocator() = default;
  template <class U>
  explicit PoolAllocator(const PoolAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(fits(count) ? BlockPool::take() : ::operator new(count * sizeof(T)));
  }
  void deallocate(T* pointer, std::size_t count) noexcept {
    fits(count) ? BlockPool::give(pointer) : ::operator delete(pointer);
  }

  template <class U>
  bool operator==(const PoolAllocator<U>&) const noexcept {
    return true;
  }

 private:
  static constexpr bool fits(std::size_t count) noexcept {
    return count == 1 && sizeof(T) <= BlockPool::block_size && alignof(T) <= alignof(std::max_align_t);
  }
};

}  // namespace cfd::transport
