// The whole of the deployed function.
#include <cfd/execute.hpp>

#include "functions.hpp"

int main(int argc, char** argv) {
  return cfd::execute(argc, argv);
}
