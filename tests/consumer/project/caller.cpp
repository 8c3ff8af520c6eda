#include <cstdio>

#include "functions.hpp"

// Without settings the call must fail as documented; that it gets so far shows that the library is whole.
int main() try { functions::greet("Ada"); } catch (const cfd::ConfigError& error) {
  std::puts(error.what());
}
