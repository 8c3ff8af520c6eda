// expect: cfd: a named argument has no value
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch(
    "t.f", [](int) {}, cfd::arg("x"));
void call() {
  f(cfd::arg("x"));
}
