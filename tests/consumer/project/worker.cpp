#include <cfd/execute.hpp>

#include "functions.hpp"

namespace {
const auto add_here = cfd::implement(functions::add, [](int a, int b) { return a + b; });
}

int main(int argc, char** argv) {
  return cfd::execute(argc, argv);
}
