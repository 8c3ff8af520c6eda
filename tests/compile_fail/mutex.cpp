// expect: cfd: a mutex or lock cannot travel
#include <mutex>

#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](const std::mutex&) {});
