// expect: cfd: a raw pointer cannot travel
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](int*) {});
