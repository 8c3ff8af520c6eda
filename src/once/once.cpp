#include "once/once.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <cfd/log.hpp>

#include "caller/call_id.hpp"
#include "codec/envelope.hpp"
#include "log/context.hpp"
#include "log/trace.hpp"
#include "settings/settings.hpp"

namespace cfd::once {
namespace {

using settings::Key;

// A duplicate that comes while the first runs is asked about again after this.
constexpr std::chrono::seconds ask_again{5};

// A store that is away for a moment must not make an executed call run again.
constexpr int attempts_to_record = 6;
constexpr std::chrono::milliseconds first_pause{50};

}  // namespace

std::string key_of(const Event& event) {
  if (const auto id = event.attribute(codec::attribute::call_id); !id.empty())
    return fmt::format("{}/call/{}", event.subscription, id);
  if (!event.id.empty()) return fmt::format("{}/message/{}", event.subscription, event.id);
  return {};
}

std::unique_ptr<Once> Once::from_settings() {
  const auto wish = settings::find(Key::once);
  if (!wish) return nullptr;
  const Lifetimes lifetimes{settings::duration(Key::once_claim), settings::duration(Key::once_keep)};
  return std::make_unique<Once>(make_store(*wish, lifetimes), lifetimes);
}

Once::Once(std::unique_ptr<Store> store, Lifetimes lifetimes)
    : store_(std::move(store)), lifetimes_(lifetimes), renewer_([this] { renew(); }) {}

Once::~Once() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  renewer_.join();
}

Outcome Once::run(const Event& event, std::string_view source, const std::function<Outcome()>& run) {
  const std::string_view trace =
      log::first_trace({event.attribute(codec::attribute::traceparent), event.trace});
  const log::Scope scope({source, event.id, {}, trace});
  const std::string key = key_of(event);
  if (key.empty()) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(warned_, true))
      log::warning(
          "a message without any id came, as an unwrapped push without metadata does: such calls may run "
          "more "
          "than once");
  }
  if (key.empty()) return run();
  const auto id = caller::make_call_id();
  const std::string owner(id.data(), id.size());
  const ClaimResult result = store_->claim(key, owner);
  switch (result.claim) {
    case Claim::granted:
      return run_claimed(key, owner, run);
    case Claim::done:
      log::info("event {} was executed before: it is acknowledged without running again", event.id);
      return {};
    case Claim::taken:
      log::info("event {} is being executed already: it comes again later", event.id);
      return {Verdict::retry, "the call is being executed already", ask_again};
    case Claim::failed:
      break;
  }
  log::error("event {} is not executed now, because it cannot be known whether it was before: {}", event.id,
             result.error);
  return {Verdict::retry, "the store of executed calls: " + result.error, {}};
}

Outcome Once::run_claimed(const std::string& key, const std::string& owner,
                          const std::function<Outcome()>& run) {
  {
    const std::lock_guard lock(mutex_);
    claims_[key] = owner;
  }
  Outcome outcome = run();
  {
    const std::lock_guard lock(mutex_);
    claims_.erase(key);
  }
  if (outcome.verdict == Verdict::executed) {
    record(key);
  } else if (const std::string error = store_->release(key, owner); !error.empty()) {
    log::warning("a claim could not be given back and holds until it expires: {}", error);
  }
  return outcome;
}

// The call is acknowledged in any case: it was executed, and to deliver it again would be the mistake that
// the store is there to prevent.
void Once::record(const std::string& key) {
  auto pause = first_pause;
  for (int attempt = 1;; ++attempt) {
    const std::string error = store_->finish(key);
    if (error.empty()) return;
    if (attempt == attempts_to_record) {
      log::error(
          "{} was executed and could not be recorded: it may run again where its acknowledgement is lost: {}",
          key, error);
      return;
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

void Once::renew() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, lifetimes_.claim / 3, [this] { return ending_; })) {
    const auto claims = claims_;
    lock.unlock();
    for (const auto& [key, owner] : claims) {
      const ClaimResult result = store_->claim(key, owner);
      {
        const std::lock_guard again(mutex_);
        if (!claims_.contains(key)) {
          // It ended meanwhile, and what was renewed after it was given back would be nobody's claim.
          if (result.claim == Claim::granted) store_->release(key, owner);
          continue;
        }
      }
      if (result.claim == Claim::granted) continue;
      log::warning("the claim of {} could not be renewed, and another worker may run it too{}{}", key,
                   result.error.empty() ? "" : ": ", result.error);
    }
    lock.lock();
  }
}

}  // namespace cfd::once
