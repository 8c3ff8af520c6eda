// The worker that is measured: one function that does nothing.
#include <cfd/dispatch.hpp>
#include <cfd/execute.hpp>

namespace {

const auto nothing = cfd::dispatch("bench.nothing", [](int) {});

}  // namespace

int main(int argc, char** argv) {
  return cfd::execute(argc, argv);
}
