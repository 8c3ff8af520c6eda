// expect: cfd: too few arguments
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](int, int) {});
void call() {
  f(1);
}
