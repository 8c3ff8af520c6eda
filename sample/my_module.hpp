#pragma once

namespace my_module {

/// Calls my_func as any C++ function is called; it runs in the cloud function.
void call_dispatched_function();

}  // namespace my_module
