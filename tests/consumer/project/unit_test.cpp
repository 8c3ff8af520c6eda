#include <cstdio>

#include <cfd/testing.hpp>

#include "functions.hpp"

int main() {
  const cfd::testing::InMemory pubsub;
  functions::greet("Ada");
  if (pubsub.calls().size() != 1) return 1;
  std::puts(pubsub.calls().front().function.c_str());
}
