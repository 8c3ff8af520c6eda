#include <cfd/error.hpp>

#include "once/store.hpp"
#include "stores/sqlite_store.hpp"
#ifdef CFD_WITH_REDIS
#include "stores/redis_store.hpp"
#endif

namespace cfd::stores {
namespace {

using once::Lifetimes;
using once::Store;

std::unique_ptr<Store> make_sqlite(const std::string& path, Lifetimes lifetimes) {
  return std::make_unique<SqliteStore>(path, lifetimes);
}

#ifdef CFD_WITH_REDIS
std::unique_ptr<Store> make_redis(const std::string& address, Lifetimes lifetimes) {
  return std::make_unique<RedisStore>(parse_redis_address(address), lifetimes);
}

std::unique_ptr<Store> make_redis_unix(const std::string& path, Lifetimes lifetimes) {
  return std::make_unique<RedisStore>(RedisAddress{.host = path, .port = 0}, lifetimes);
}

constexpr once::Makers makers{&make_sqlite, &make_redis, &make_redis_unix};
#else
constexpr once::Makers makers{&make_sqlite, nullptr, nullptr};
#endif

}  // namespace
}  // namespace cfd::stores

/// As src/pubsub/backend.cpp: programs that link this library are linked with `--undefined` and this name.
extern "C" const bool cfd_stores_linked;
const bool cfd_stores_linked = [] {
  cfd::once::set_makers(cfd::stores::makers);
  return true;
}();
