#include "once/store.hpp"

#include <cfd/error.hpp>

#include "once/memory_store.hpp"
#include "settings/validate.hpp"

namespace cfd::once {
namespace {

constinit Makers linked{};

constexpr std::size_t default_entries = 100'000;

std::unique_ptr<Store> make(MakeStore maker, const std::string& address, Lifetimes lifetimes) {
  if (maker == nullptr)
    throw ConfigError(
        "CLOUD_FUNCTIONS_DISPATCH_ONCE asks for a store that this program does not link: link the CMake "
        "target cfd::stores, built with hiredis for Redis, or use memory");
  return maker(address, lifetimes);
}

}  // namespace

void set_makers(Makers makers) noexcept {
  linked = makers;
}

std::unique_ptr<Store> make_store(const std::string& setting, Lifetimes lifetimes) {
  const std::size_t colon = setting.find(':');
  const std::string scheme = setting.substr(0, colon);
  const std::string address = colon == std::string::npos ? "" : setting.substr(colon + 1);
  if (scheme == "sqlite") return make(linked.sqlite, address, lifetimes);
  if (scheme == "redis") return make(linked.redis, address.substr(2), lifetimes);
  if (scheme == "redis+unix") return make(linked.redis_unix, address.substr(2), lifetimes);
  const auto entries = settings::parse_number(address);
  return std::make_unique<MemoryStore>(entries ? *entries : default_entries, lifetimes);
}

}  // namespace cfd::once
