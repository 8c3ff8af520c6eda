#include "auth/verifier.hpp"

#include <chrono>

#include <boost/beast/core/string.hpp>

#include <cfd/log.hpp>

namespace cfd::auth {
namespace {

constexpr std::string_view scheme = "Bearer ";
constexpr std::size_t most_remembered = 64;

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Refusal check_claims(const Token& token, const http::AuthenticatorConfig& wanted, std::int64_t now) {
  if (token.issuer != "https://accounts.google.com" && token.issuer != "accounts.google.com")
    return {401, "the token's issuer is not Google"};
  if (!token.expires || !token.issued) return {401, "the token has no times"};
  if (*token.expires < now - leeway_seconds) return {401, "the token has expired"};
  if (*token.issued > now + leeway_seconds || (token.not_before && *token.not_before > now + leeway_seconds))
    return {401, "the token is from the future: compare the clocks"};
  if (token.audience != wanted.audience) return {403, "the token is for another audience"};
  if (!token.email_verified || token.email != wanted.email)
    return {403, "the token is of another account, or of one whose address is not verified"};
  return {};
}

unsigned Verifier::refuse(std::string_view authorization) noexcept {
  try {
    const Refusal refusal = check(authorization);
    if (refusal.status != 0)
      log::warning("a push was refused with status {}: {}", refusal.status, refusal.reason);
    return refusal.status;
  } catch (const std::exception& error) {
    log::error("a push could not be verified: {}", error.what());
    return 503;
  }
}

Refusal Verifier::check(std::string_view authorization) {
  if (authorization.size() <= scheme.size() ||
      !boost::beast::iequals({authorization.data(), scheme.size()}, {scheme.data(), scheme.size()}))
    return {401, "it brings no token"};
  const std::string text(authorization.substr(scheme.size(), longest_token + 1));
  const std::int64_t now = now_seconds();
  const KeySet::Found state = keys_.state();
  if (!state.available) return {503, "the keys to verify it with are not there"};
  if (is_known(text, state.generation, now)) return {};
  Token token;
  if (std::string fault = parse_token(text, token); !fault.empty()) return {401, std::move(fault)};
  const KeySet::Found found = keys_.find(token.key_id);
  if (found.key == nullptr) return {401, "the token's key is not known; the keys are fetched again soon"};
  if (!verify_rs256(found.key.get(), token.signed_part, token.signature))
    return {401, "the token's signature is wrong"};
  Refusal refusal = check_claims(token, wanted_, now);
  if (refusal.status == 0) remember(text, found.generation, *token.expires + leeway_seconds);
  return refusal;
}

bool Verifier::is_known(const std::string& text, std::uint64_t generation, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return false;
  const auto at = good_.find(text);
  return at != good_.end() && now <= at->second;
}

void Verifier::remember(const std::string& text, std::uint64_t generation, std::int64_t until) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_ || good_.size() >= most_remembered) good_.clear();
  generation_ = generation;
  good_[text] = until;
}

}  // namespace cfd::auth
