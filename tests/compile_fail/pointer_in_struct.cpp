// expect: cfd: a raw pointer cannot travel
#include <cfd/dispatch.hpp>

struct Node {
  int value;
  int* next;
};

const auto f = cfd::dispatch("t.f", [](Node) {});
