// expect: cfd: a std::stop_token does not travel
#include <stop_token>

#include <cfd/dispatch.hpp>

const auto f = cfd::declare<void(std::stop_token, int)>("t.f");
