// expect: cfd: no parameter of the function has this name
#include <cfd/dispatch.hpp>

using namespace cfd::literals;

const auto f = cfd::dispatch(
    "t.f", [](int) {}, "width"_arg);
void call() {
  f("wdith"_arg = 3);
}
