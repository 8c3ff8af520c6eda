#pragma once

#include <string>

#include <cfd/dispatch.hpp>

namespace functions {

/// Any positional and named arguments.
inline const auto echo = cfd::dispatch("functions.echo", [](cfd::Args args, cfd::Kwargs kwargs) {
  cfd::log::info("echo called with args={}, kwargs={}", args, kwargs);
});

/// Typed arguments; the default is the function's own, filled in where the function runs.
inline const auto my_func =
    cfd::dispatch("functions.my_func", [](int a, int b, std::string cheer = "hooray!") {
      if (a > b)
        cfd::log::warning("a is too large!");
      else
        cfd::log::info("a is just right: {}", cheer);
    });

}  // namespace functions
