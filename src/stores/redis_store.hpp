#pragma once

/// \file
/// Executed calls, remembered in a Redis that all workers share.

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "once/store.hpp"

struct redisContext;
struct redisReply;

namespace cfd::stores {

/// Where a Redis is.
struct RedisAddress {
  std::string host;  ///< or, where `port` is 0, the path of a Unix socket
  int port = 6379;
  int database = 0;
  std::string password = {};  ///< empty: none is asked for
};

/// [:PASSWORD@]HOST:PORT[/DB], checked by the settings.
RedisAddress parse_redis_address(std::string_view text);

/// Keys are `cfd:once:…`; times are Redis's own. Connections are made as they are needed, one for each thread
/// that is in a call, and kept. A connection that is found broken is replaced once.
class RedisStore final : public once::Store {
 public:
  /// Throws Error where Redis does not answer: what is misconfigured shows at the start.
  RedisStore(RedisAddress address, once::Lifetimes lifetimes);
  RedisStore(const RedisStore&) = delete;
  RedisStore& operator=(const RedisStore&) = delete;
  ~RedisStore() override;

  once::ClaimResult claim(std::string_view key, std::string_view owner) override;
  std::string finish(std::string_view key) override;
  std::string release(std::string_view key, std::string_view owner) override;

 private:
  struct Disconnect {
    void operator()(redisContext* context) const noexcept;
  };
  struct FreeReply {
    void operator()(redisReply* reply) const noexcept;
  };
  using Connection = std::unique_ptr<redisContext, Disconnect>;
  using Reply = std::unique_ptr<redisReply, FreeReply>;
  using Words = std::vector<std::string_view>;

  Connection connect(std::string& error) const;
  Connection idle();
  Reply ask(const Words& words, std::string& error);

  const RedisAddress address_;
  const once::Lifetimes lifetimes_;
  std::mutex mutex_;
  std::vector<Connection> idle_;
};

}  // namespace cfd::stores
