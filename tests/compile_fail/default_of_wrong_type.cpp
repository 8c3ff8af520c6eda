// expect: cfd: the default given with cfd::arg does not convert
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch(
    "t.f", [](int) {}, cfd::arg("x") = "three");
