// expect: cfd: the parameters of this callable are not known
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](auto) {});
