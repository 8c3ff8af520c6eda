// expect: cfd: after the name and the function come only names
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch(
    "t.f", [](int) {}, 3);
