#include "stores/redis_store.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <cfd/error.hpp>

namespace cfd::stores {
namespace {

using once::Claim;
using once::ClaimResult;

// Far longer than Redis takes; a call that cannot be claimed within it comes again.
constexpr timeval patience{2, 0};

// Redis runs a script as one operation. The value is the owner's, or, executed, this word, which is no
// owner's because owners are hexadecimal.
constexpr std::string_view claim_script =
    "local holder = redis.call('GET', KEYS[1]) "
    "if holder and holder ~= ARGV[1] then return holder end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return ''";
constexpr std::string_view release_script =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
constexpr std::string_view executed = "done";

std::string name_of(std::string_view key) {
  return fmt::format("cfd:once:{}", key);
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

RedisAddress parse_redis_address(std::string_view text) {
  RedisAddress address;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    address.password = text.substr(1, at - 1);
    text.remove_prefix(at + 1);
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  if (slash < text.size()) address.database = number(text.substr(slash + 1));
  const std::size_t colon = text.rfind(':', slash);
  address.port = number(text.substr(colon + 1, slash - colon - 1));
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[')) address.host = address.host.substr(1, address.host.size() - 2);
  return address;
}

void RedisStore::Disconnect::operator()(redisContext* context) const noexcept {
  redisFree(context);
}

void RedisStore::FreeReply::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

RedisStore::RedisStore(RedisAddress address, once::Lifetimes lifetimes)
    : address_(std::move(address)), lifetimes_(lifetimes) {
  std::string error;
  if (ask({"PING"}, error) == nullptr)
    throw Error(fmt::format("Redis, for CLOUD_FUNCTIONS_DISPATCH_ONCE: {}", error));
}

RedisStore::~RedisStore() = default;

RedisStore::Connection RedisStore::connect(std::string& error) const {
  Connection connection(address_.port == 0
                            ? redisConnectUnixWithTimeout(address_.host.c_str(), patience)
                            : redisConnectWithTimeout(address_.host.c_str(), address_.port, patience));
  const auto refuse = [&](std::string_view why) {
    error = fmt::format("{}{}: {}", address_.host,
                        address_.port == 0 ? std::string() : fmt::format(":{}", address_.port), why);
    return Connection();
  };
  if (connection == nullptr) return refuse("out of memory");
  if (connection->err != 0) return refuse(connection->errstr);
  redisSetTimeout(connection.get(), patience);
  const auto greet = [&](const char* command, const std::string& argument) {
    const Reply reply(static_cast<redisReply*>(
        redisCommand(connection.get(), "%s %b", command, argument.data(), argument.size())));
    if (reply == nullptr) return std::string(connection->errstr);
    return reply->type == REDIS_REPLY_ERROR ? std::string(reply->str, reply->len) : std::string();
  };
  std::string fault;
  if (!address_.password.empty()) fault = greet("AUTH", address_.password);
  if (fault.empty() && address_.database != 0) fault = greet("SELECT", std::to_string(address_.database));
  return fault.empty() ? std::move(connection) : refuse(fault);
}

RedisStore::Connection RedisStore::idle() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return {};
  Connection connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

// Null, with the error set, where Redis did not answer or refused. A command may be sent twice, which is why
// each may be repeated.
RedisStore::Reply RedisStore::ask(const Words& words, std::string& error) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    arguments.push_back(word.data());
    sizes.push_back(word.size());
  }
  // An idle connection may have been closed by the other side, and so may all others then.
  Connection connection = idle();
  for (bool fresh = connection == nullptr;; fresh = true) {
    if (fresh) connection = connect(error);
    if (connection == nullptr) return {};
    Reply reply(static_cast<redisReply*>(redisCommandArgv(
        connection.get(), static_cast<int>(arguments.size()), arguments.data(), sizes.data())));
    if (reply != nullptr) {
      {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
      }
      if (reply->type != REDIS_REPLY_ERROR) return reply;
      error.assign(reply->str, reply->len);
      return {};
    }
    error = fmt::format("{}: {}", address_.host, connection->errstr);
    if (fresh) return {};
    const std::lock_guard lock(mutex_);
    idle_.clear();
  }
}

ClaimResult RedisStore::claim(std::string_view key, std::string_view owner) {
  const std::string name = name_of(key);
  const std::string life = std::to_string(lifetimes_.claim.count());
  std::string error;
  const Reply reply = ask({"EVAL", claim_script, "1", name, owner, life}, error);
  if (reply == nullptr) return {Claim::failed, error};
  if (reply->type != REDIS_REPLY_STRING) return {Claim::failed, "Redis gave an unexpected answer"};
  if (reply->len == 0) return {Claim::granted};
  return {std::string_view(reply->str, reply->len) == executed ? Claim::done : Claim::taken};
}

std::string RedisStore::finish(std::string_view key) {
  const std::string name = name_of(key);
  const std::string life = std::to_string(lifetimes_.keep.count());
  std::string error;
  ask({"SET", name, executed, "PX", life}, error);
  return error;
}

std::string RedisStore::release(std::string_view key, std::string_view owner) {
  const std::string name = name_of(key);
  std::string error;
  ask({"EVAL", release_script, "1", name, owner}, error);
  return error;
}

}  // namespace cfd::stores
