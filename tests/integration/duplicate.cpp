// Two functions of one name: this program must stop at its start, before main.
#include <cstdio>

#include <cfd/dispatch.hpp>

namespace {
const auto first = cfd::dispatch("t.same", [](int) {});
const auto second = cfd::dispatch("t.same", [](double) {});
}  // namespace

int main() {
  std::puts("main was reached");
}
