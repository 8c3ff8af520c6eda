// expect: cfd: an argument has the wrong type
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](int) {});
void call() {
  f("one");
}
