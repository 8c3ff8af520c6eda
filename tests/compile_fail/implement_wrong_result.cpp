// expect: cfd: the implementation does not have the declared signature
#include <cfd/dispatch.hpp>

const auto f = cfd::declare<double(int)>("t.f");
const auto here = cfd::implement(f, [](int) { return std::string(); });
