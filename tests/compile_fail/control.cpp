// compiles
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](int, std::string, double = 1) {});
void call() {
  f(1, "a");
}
