// One program in two versions, CFD_TEST_VERSION 1 and 2, each both caller and worker:
//   versions call FUNCTION     calls it
//   versions [FLAGS]           executes
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <cfd/dispatch.hpp>
#include <cfd/execute.hpp>

namespace {

#if CFD_TEST_VERSION == 1

struct Order {
  std::string id;
  std::int32_t amount = 0;
};

const auto place = cfd::dispatch("v.place", [](Order order, std::int32_t count) {
  cfd::log::info("version 1 places {} of {} for {}", count, order.id, order.amount);
});
const auto changed = cfd::dispatch("v.changed", [](int) { cfd::log::info("changed was run"); });

void call_place() {
  place(Order{"pen", 5}, 3);
}
void call_changed() {
  changed(7);
}

#else

// A field, a parameter with a default, and wider integers have been added.
struct Order {
  std::string id;
  std::int64_t amount = 0;
  std::string currency = "EUR";
};

const auto place =
    cfd::dispatch("v.place", [](Order order, std::int64_t count, std::string note = "no note") {
      cfd::log::info("version 2 places {} of {} for {} {}: {}", count, order.id, order.amount, order.currency,
                     note);
    });
const auto changed = cfd::dispatch("v.changed", [](std::string) { cfd::log::info("changed was run"); });

void call_place() {
  place(Order{"pen", 5, "USD"}, 3, "gift");
}
void call_changed() {
  changed("seven");
}

#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "call") return cfd::execute(argc, argv);
  std::string_view(argv[2]) == "place" ? call_place() : call_changed();
}
