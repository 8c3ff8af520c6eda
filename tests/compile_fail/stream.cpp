// expect: cfd: a stream cannot travel
#include <sstream>

#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](const std::ostringstream&) {});
