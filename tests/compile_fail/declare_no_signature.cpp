// expect: cfd: declare takes a signature
#include <cfd/dispatch.hpp>

const auto f = cfd::declare<int>("t.f");
