#pragma once

/// \file
/// Messages that are out with a consumer: each has an ack id and a deadline. All operations take constant
/// time, whatever the number of leases. Not thread-safe; a Subscription guards it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/clock.hpp"
#include "emulator/message.hpp"

namespace cfd::emulator {

/// What an ack id says: which subscription, which lease of it, and which use of that lease's place.
struct AckToken {
  std::uint32_t subscription = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

inline constexpr std::size_t ack_id_size = 24;

/// Writes the 24 characters of an ack id at `out`.
void write_ack_id(char* out, const AckToken& token) noexcept;
std::string to_ack_id(const AckToken& token);

/// Empty where `ack_id` is not of the form this server hands out.
std::optional<AckToken> parse_ack_id(std::string_view ack_id) noexcept;

struct Lease {
  MessageRef message;
  std::uint32_t attempts = 0;  ///< deliveries that failed before this one
  std::uint32_t consumer = 0;  ///< who holds it
  Time deadline;
};

class Leases {
 public:
  /// Deadlines are kept in steps of this length, rounded up.
  static constexpr std::chrono::milliseconds step{20};

  explicit Leases(std::uint32_t subscription) : subscription_(subscription) {}

  AckToken grant(Lease lease);

  /// The lease, or null where it has ended. Valid until the next call of another member.
  Lease* find(const AckToken& token) noexcept;

  /// Moves the deadline of an existing lease.
  void extend(const AckToken& token, Time deadline);

  /// Ends an existing lease.
  Lease release(const AckToken& token);

  /// When the first lease ends, if there is one.
  std::optional<Time> next_deadline() const;

  /// The leases whose deadline has passed, still in place.
  std::vector<AckToken> expired(Time now) const;

  std::size_t size() const noexcept { return size_; }

  /// Calls visit(AckToken, const Lease&) for each lease, in no order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].used)
        visit(AckToken{subscription_, slot, slots_[slot].generation}, slots_[slot].lease);
    }
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFFU;
  struct Slot {
    Lease lease;
    std::uint32_t generation = 0;
    std::uint32_t previous = none,
                  next = none;  // in the list of its deadline's step; `next` also links free slots
    bool used = false;
  };
  using Step = std::int64_t;

  static Step step_of(Time time) noexcept;
  void link(std::uint32_t slot);
  void unlink(std::uint32_t slot);

  std::uint32_t subscription_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = none;
  std::size_t size_ = 0;
  std::map<Step, std::uint32_t> heads_;  // first lease of each step that has one
};

}  // namespace cfd::emulator
