// expect: cfd: name every parameter with cfd::arg, or none
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch(
    "t.f", [](int, int) {}, cfd::arg("x"));
