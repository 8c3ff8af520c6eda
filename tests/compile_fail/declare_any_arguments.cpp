// expect: cfd: declare takes typed parameters
#include <cfd/dispatch.hpp>

const auto f = cfd::declare<void(cfd::Args, cfd::Kwargs)>("t.f");
