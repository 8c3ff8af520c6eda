#pragma once

#include <string>

#include <cfd/dispatch.hpp>

namespace functions {

inline const auto greet =
    cfd::dispatch("consumer.greet", [](std::string name) { cfd::log::info("hello {}", name); });

/// Only declared here; the worker implements it.
inline const auto add = cfd::declare<int(int, int)>("consumer.add");

}  // namespace functions
