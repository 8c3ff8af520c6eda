#pragma once

/// \file
/// Where executed calls are remembered: the interface, and how a program gets a store.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace cfd::once {

/// What came of an attempt to claim a call.
enum class Claim : std::uint8_t {
  granted,  ///< the call is this claimer's, until the claim expires: run it
  taken,    ///< somebody else has it: not now
  done,     ///< it was executed: never again
  failed,   ///< the store did not answer; nothing is known
};

struct ClaimResult {
  Claim claim = Claim::failed;
  std::string error = {};  ///< with Claim::failed: one line
};

/// How long a claim holds, and how long an executed call is remembered.
struct Lifetimes {
  std::chrono::milliseconds claim{60'000};
  std::chrono::milliseconds keep{168 * 3'600'000LL};
};

/// Remembers, by key, who runs a call and whether it was executed. Every operation is atomic among all that
/// share the store, and may be repeated where its answer was lost. Thread-safe; no operation throws.
class Store {
 public:
  virtual ~Store() = default;

  /// Claims `key` for `owner`, a text that no other claim has. Whoever has the claim renews it so.
  virtual ClaimResult claim(std::string_view key, std::string_view owner) = 0;

  /// Records that `key` was executed, whoever has claimed it meanwhile. Returns what went wrong, or nothing.
  virtual std::string finish(std::string_view key) = 0;

  /// Gives the claim back, where `owner` still has it. Returns what went wrong, or nothing.
  virtual std::string release(std::string_view key, std::string_view owner) = 0;
};

/// Makes a store from what follows the scheme in the setting. Throws ConfigError or Error where it cannot.
using MakeStore = std::unique_ptr<Store> (*)(const std::string& address, Lifetimes lifetimes);

/// The stores that are linked into the program (src/stores); null where they are not.
struct Makers {
  MakeStore sqlite = nullptr;      ///< from a path
  MakeStore redis = nullptr;       ///< from [:PASSWORD@]HOST:PORT[/DB]
  MakeStore redis_unix = nullptr;  ///< from a path
};

/// Called once, by the static initializer of src/stores.
void set_makers(Makers makers) noexcept;

/// Makes the store that a checked value of the setting `once` names. Throws ConfigError, naming the way out,
/// where the program does not link it, and Error where it cannot be opened.
std::unique_ptr<Store> make_store(const std::string& setting, Lifetimes lifetimes);

}  // namespace cfd::once
