// expect: cfd: a parameter that is a reference to non-const
#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](std::string&) {});
