// expect: cfd: a named argument is followed by a positional one
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch(
    "t.f", [](int, int) {}, cfd::arg("x"), cfd::arg("y"));
void call() {
  f(cfd::arg("x") = 1, 2);
}
