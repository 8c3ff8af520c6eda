// expect: cfd: a view would refer to memory of another process
#include <span>

#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](std::span<const int>) {});
