// expect: cfd: too many arguments
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](int, int = 2) {});
void call() {
  f(1, 2, 3);
}
