// The worker of the tests: takes pushes or pulls, and can dispatch from inside a function.
#include <cfd/builtin.hpp>
#include <cfd/execute.hpp>

#include "integration/functions.hpp"

int main(int argc, char** argv) {
  return cfd::execute(argc, argv);
}
