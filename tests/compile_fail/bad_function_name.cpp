// expect below: cfd: a function's name is
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("no spaces please", [](int) {});
