// expect: cfd: a callable cannot travel
#include <functional>

#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](std::function<void()>) {});
