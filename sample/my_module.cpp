#include "my_module.hpp"

#include "functions.hpp"

namespace my_module {

void call_dispatched_function() {
  functions::my_func(1, 2);
}

}  // namespace my_module
