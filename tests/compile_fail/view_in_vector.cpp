// expect: cfd: a view would refer to memory of another process
#include <string_view>
#include <vector>

#include <cfd/dispatch.hpp>

const auto f = cfd::dispatch("t.f", [](std::vector<std::string_view>) {});
