#pragma once

/// \file
/// Whether a push comes from the service account that the subscription pushes as.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "auth/jwt.hpp"
#include "auth/key_set.hpp"
#include "http/authenticator.hpp"

namespace cfd::auth {

/// How far clocks may differ.
inline constexpr std::int64_t leeway_seconds = 30;

/// What is wrong with the claims of a token whose signature is good, at `now` in seconds since the epoch;
/// with the status to answer.
struct Refusal {
  unsigned status = 0;  ///< 0: nothing is wrong
  std::string reason;
};
Refusal check_claims(const Token& token, const http::AuthenticatorConfig& wanted, std::int64_t now);

/// Remembers tokens that it has found good, because Pub/Sub sends one token for up to an hour.
class Verifier final : public http::Authenticator {
 public:
  Verifier(http::AuthenticatorConfig wanted, KeySet::Times times, KeySet::Fetch fetch)
      : wanted_(std::move(wanted)), keys_(wanted_.keys_url, times, std::move(fetch)) {}

  unsigned refuse(std::string_view authorization) noexcept override;

  /// The same, with the reason instead of a log line.
  Refusal check(std::string_view authorization);

 private:
  bool is_known(const std::string& text, std::uint64_t generation, std::int64_t now);
  void remember(const std::string& text, std::uint64_t generation, std::int64_t until);

  const http::AuthenticatorConfig wanted_;
  KeySet keys_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> good_;  // with the time until which
  std::uint64_t generation_ = 0;              // of the keys that they were verified with
};

}  // namespace cfd::auth
