// expect: cfd: a union does not say which member is set
#include <cfd/dispatch.hpp>

union Either {
  int i;
  float f;
};

const auto f = cfd::dispatch("t.f", [](Either) {});
