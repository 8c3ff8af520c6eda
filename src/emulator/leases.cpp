#include "emulator/leases.hpp"

#include <array>
#include <utility>

namespace cfd::emulator {

namespace {

char* write_hex(char* out, std::uint32_t value) noexcept {
  constexpr char digits[] = "0123456789abcdef";
  for (int shift = 28; shift >= 0; shift -= 4)
    *out++ = digits[(value >> static_cast<unsigned>(shift)) & 0xFU];
  return out;
}

bool read_hex(std::string_view text, std::uint32_t& value) noexcept {
  value = 0;
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<std::uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<std::uint32_t>(c - 'a') + 10;
    else
      return false;
    value = (value << 4U) | digit;
  }
  return true;
}

}  // namespace

void write_ack_id(char* out, const AckToken& token) noexcept {
  write_hex(write_hex(write_hex(out, token.subscription), token.slot), token.generation);
}

std::string to_ack_id(const AckToken& token) {
  std::string id(ack_id_size, '\0');
  write_ack_id(id.data(), token);
  return id;
}

std::optional<AckToken> parse_ack_id(std::string_view ack_id) noexcept {
  AckToken token;
  if (ack_id.size() != ack_id_size || !read_hex(ack_id.substr(0, 8), token.subscription) ||
      !read_hex(ack_id.substr(8, 8), token.slot) || !read_hex(ack_id.substr(16), token.generation)) {
    return std::nullopt;
  }
  return token;
}

Leases::Step Leases::step_of(Time time) noexcept {
  return std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch()).count() / step.count() + 1;
}

AckToken Leases::grant(Lease lease) {
  if (free_ == none) {
    slots_.emplace_back();
    free_ = static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_;
  free_ = slots_[slot].next;
  slots_[slot].lease = std::move(lease);
  slots_[slot].used = true;
  ++size_;
  link(slot);
  return {subscription_, slot, slots_[slot].generation};
}

Lease* Leases::find(const AckToken& token) noexcept {
  if (token.subscription != subscription_ || token.slot >= slots_.size()) return nullptr;
  Slot& slot = slots_[token.slot];
  return slot.used && slot.generation == token.generation ? &slot.lease : nullptr;
}

void Leases::extend(const AckToken& token, Time deadline) {
  unlink(token.slot);
  slots_[token.slot].lease.deadline = deadline;
  link(token.slot);
}

Lease Leases::release(const AckToken& token) {
  unlink(token.slot);
  Slot& slot = slots_[token.slot];
  Lease lease = std::exchange(slot.lease, {});
  slot.used = false;
  ++slot.generation;
  slot.next = free_;
  free_ = token.slot;
  --size_;
  return lease;
}

std::optional<Time> Leases::next_deadline() const {
  if (heads_.empty()) return std::nullopt;
  return Time{step * heads_.begin()->first};
}

std::vector<AckToken> Leases::expired(Time now) const {
  std::vector<AckToken> tokens;
  for (const auto& [at, head] : heads_) {
    if (Time{step * at} > now) break;
    for (std::uint32_t slot = head; slot != none; slot = slots_[slot].next) {
      tokens.push_back({subscription_, slot, slots_[slot].generation});
    }
  }
  return tokens;
}

void Leases::link(std::uint32_t slot) {
  auto [head, inserted] = heads_.try_emplace(step_of(slots_[slot].lease.deadline), slot);
  slots_[slot].previous = none;
  slots_[slot].next = inserted ? none : head->second;
  if (!inserted) slots_[head->second].previous = slot;
  head->second = slot;
}

void Leases::unlink(std::uint32_t slot) {
  const auto [previous, next] = std::pair{slots_[slot].previous, slots_[slot].next};
  if (next != none) slots_[next].previous = previous;
  if (previous != none) {
    slots_[previous].next = next;
    return;
  }
  const auto head = heads_.find(step_of(slots_[slot].lease.deadline));
  if (next == none)
    heads_.erase(head);
  else
    head->second = next;
}

}  // namespace cfd::emulator
