// expect: cfd: the implementation does not have the declared signature
#include <cfd/dispatch.hpp>

const auto f = cfd::declare<double(int, std::string)>("t.f");
const auto here = cfd::implement(f, [](std::string) { return 0.5; });
