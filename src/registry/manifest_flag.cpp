// Every program that has dispatchables answers `--cfd-manifest`, also those whose main is not ours: the flag,
// alone on the command line, is answered before main. glibc calls constructors with main's arguments, in link
// order, and a library is linked after those that use it, so that all dispatchables are registered by now.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "registry/registry.hpp"

namespace cfd::registry {

namespace {

[[gnu::constructor]] void answer_manifest_flag(int argc, char** argv, char** /*environment*/) {
  if (argc != 2 || argv == nullptr || std::strcmp(argv[1], "--cfd-manifest") != 0) return;
  std::puts(manifest_json().c_str());
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace

void link_manifest_flag() noexcept {}

}  // namespace cfd::registry
