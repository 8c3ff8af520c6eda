// expect: cfd: a steady_clock time has no meaning
#include <chrono>

#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](std::chrono::steady_clock::time_point) {});
