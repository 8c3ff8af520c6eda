// expect: cfd: the function's parameters have no names
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](int) {});
void call() {
  f(cfd::arg("x") = 3);
}
