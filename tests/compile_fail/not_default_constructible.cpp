// expect: cfd: a parameter's type must be default constructible
#include <cfd/dispatch.hpp>

struct Fixed {
  Fixed() = delete;
  int value;
};

const auto f = cfd::dispatch("t.f", [](Fixed) {});
