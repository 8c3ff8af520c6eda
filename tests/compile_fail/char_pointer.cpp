// expect: cfd: a char pointer cannot travel
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](const char*) {});
