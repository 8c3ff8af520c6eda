// A small call allocates nothing until it is handed to the transport: its arguments are written to memory
// that the thread keeps.

#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Not inline: g++ 12 otherwise sees the free() without its malloc(), and takes it for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace {

struct Order {
  std::uint64_t id = 0;
  double price = 0;
};

TEST(Allocation, WritingASmallCallTakesNone) {
  using namespace cfd::detail;
  using Types = TypeList<int, std::string, Order, std::vector<std::byte>>;
  const auto parameters = make_parameters<4>(Types());
  using Parameters = std::remove_const_t<decltype(parameters)>;
  const Function function{};
  const std::array<std::byte, 100> bytes{};
  const auto write = [&] {
    ScratchWriter writer;
    TypedCall<Parameters>::write(*writer, function, parameters, 1, "a text that no small string holds",
                                 Order{5, 2.5}, std::span(bytes));
    return writer->written().size();
  };
  EXPECT_GT(write(), 140U);  // the thread's buffer is made here, with malloc
  const std::size_t before = allocations;
  write();
  EXPECT_EQ(allocations, before);
}

}  // namespace
