// expect: cfd: a parameter is given twice
#include <cfd/dispatch.hpp>

using namespace cfd::literals;

const auto f = cfd::dispatch(
    "t.f", [](int, int = 2) {}, "x"_arg, "y"_arg);
void call() {
  f(1, "x"_arg = 2);
}
