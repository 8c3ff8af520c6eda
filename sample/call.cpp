// A program that calls: any program of yours. At a normal exit it sends what is still queued.
#include "functions.hpp"
#include "my_module.hpp"

int main() {
  my_module::call_dispatched_function();
  functions::echo(1, "a", cfd::arg("x") = 7);
}
