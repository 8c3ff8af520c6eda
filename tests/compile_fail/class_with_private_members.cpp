// expect: cfd: this type cannot be an argument
#include <cfd/dispatch.hpp>

class Opaque {
 public:
  Opaque() = default;
  int value() const { return value_; }

 private:
  int value_ = 0;
};

const auto f = cfd::dispatch("t.f", [](Opaque) {});
