#pragma once

/// \file
/// Two functions that prove that a deployment works. Including this header in the shared code opts in:
///
///     cfd::ping_forward_to_show_args(1, "a", cfd::arg("x") = 7);
///
/// runs in the cloud function, which dispatches cfd.ping_show_args with the same arguments, which runs there
/// too and logs them: one call shows that calls arrive, and that the cloud function may itself publish.

#include <cfd/dispatch.hpp>

namespace cfd {

/// Logs the arguments it gets.
inline const auto ping_show_args = dispatch("cfd.ping_show_args", [](Args args, Kwargs kwargs) {
  log::info("ping_show_args called with args={}, kwargs={}", args, kwargs);
});

/// Dispatches ping_show_args with the arguments it gets.
inline const auto ping_forward_to_show_args =
    dispatch("cfd.ping_forward_to_show_args", [](Args args, Kwargs kwargs) {
      log::info("ping_forward_to_show_args called with args={}, kwargs={}", args, kwargs);
      ping_show_args(args, kwargs);
    });

}  // namespace cfd
