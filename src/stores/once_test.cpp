#include "once/once.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/error.hpp>

#include "settings/settings.hpp"

namespace cfd::once {
namespace {

using namespace std::chrono_literals;

constexpr Lifetimes lives{.claim = 60'000ms, .keep = 60'000ms};

const Outcome done{};
const Outcome failed{Verdict::retry, "no", {}};

struct Call {
  explicit Call(std::string_view id) : attributes{{"call_id", id}} {
    event.id = "7";
    event.subscription = "s";
    event.attributes = attributes;
  }
  std::vector<Attribute> attributes;
  Event event;
};

// A store whose answers the test chooses.
class ScriptedStore final : public Store {
 public:
  ClaimResult claim(std::string_view, std::string_view) override {
    ++claims;
    return answer;
  }
  std::string finish(std::string_view) override {
    ++finishes;
    return finishes <= failures ? "not now" : "";
  }
  std::string release(std::string_view, std::string_view) override {
    ++releases;
    return "not now either";
  }

  ClaimResult answer{Claim::granted};
  std::atomic<int> claims = 0, finishes = 0, releases = 0, failures = 0;
};

struct Scripted {
  explicit Scripted(Lifetimes lifetimes = lives) : once(std::unique_ptr<Store>(store), lifetimes) {}
  ScriptedStore* store = new ScriptedStore;
  Once once;
};

TEST(OnceTest, ACallThatSucceededIsNotRunAgain) {
  Once once(make_store("memory", lives), lives);
  int runs = 0;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(once.run(Call("a").event, "t",
                       [&] {
                         ++runs;
                         return done;
                       })
                  .verdict,
              Verdict::executed);
  EXPECT_EQ(runs, 1);
}

TEST(OnceTest, ACallThatFailedIsRunAgain) {
  Once once(make_store("memory", lives), lives);
  EXPECT_EQ(once.run(Call("a").event, "t", [] { return failed; }).reason, "no");
  EXPECT_EQ(once.run(Call("a").event, "t", [] { return done; }).verdict, Verdict::executed);
}

TEST(OnceTest, ADuplicateWhileTheFirstRunsComesAgain) {
  Once once(make_store("memory", lives), lives);
  once.run(Call("a").event, "t", [&] {
    const Outcome second = once.run(Call("a").event, "t", [] {
      ADD_FAILURE() << "it runs already";
      return done;
    });
    EXPECT_EQ(second.verdict, Verdict::retry);
    EXPECT_GT(second.after, 0ms);
    EXPECT_EQ(once.run(Call("b").event, "t", [] { return done; }).verdict, Verdict::executed);
    return done;
  });
}

TEST(OnceTest, AStoreThatDoesNotAnswerRunsNothing) {
  Scripted scripted;
  scripted.store->answer = {Claim::failed, "down"};
  const Outcome outcome = scripted.once.run(Call("a").event, "t", [] {
    ADD_FAILURE() << "it may have run before";
    return done;
  });
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_THAT(outcome.reason, ::testing::HasSubstr("down"));
}

TEST(OnceTest, ASuccessIsRecordedInTheEndAndCountsInAnyCase) {
  Scripted scripted;
  scripted.store->failures = 2;
  EXPECT_EQ(scripted.once.run(Call("a").event, "t", [] { return done; }).verdict, Verdict::executed);
  EXPECT_EQ(scripted.store->finishes, 3);
  scripted.store->failures = 1000;
  EXPECT_EQ(scripted.once.run(Call("b").event, "t", [] { return done; }).verdict, Verdict::executed);
  EXPECT_EQ(scripted.store->releases, 0);
}

TEST(OnceTest, AFailureGivesItsClaimBack) {
  Scripted scripted;
  EXPECT_EQ(scripted.once.run(Call("a").event, "t", [] { return failed; }).verdict, Verdict::retry);
  EXPECT_EQ(scripted.store->releases, 1);
  EXPECT_EQ(scripted.store->finishes, 0);
}

TEST(OnceTest, AClaimIsRenewedWhileItsFunctionRuns) {
  Scripted scripted({.claim = 15ms, .keep = 1s});
  scripted.once.run(Call("a").event, "t", [&] {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (scripted.store->claims < 4 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(1ms);
    return done;
  });
  EXPECT_GE(scripted.store->claims, 4);
}

TEST(OnceTest, ManyDeliveriesOfManyCallsRunEachOnce) {
  constexpr int calls = 100;
  Once once(make_store("memory", lives), lives);
  std::vector<std::atomic<int>> runs(calls);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < calls; ++i) {
        const std::string id = std::to_string(i);
        while (once.run(Call(id).event, "t",
                        [&] {
                          ++runs[i];
                          return done;
                        })
                   .verdict != Verdict::executed)
          std::this_thread::yield();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(runs, ::testing::Each(::testing::Eq(1)));
}

TEST(OnceTest, TheKeyIsTheCallElseTheMessageOfItsSubscription) {
  Call call("c");
  EXPECT_EQ(key_of(call.event), "s/call/c");
  call.event.attributes = {};
  EXPECT_EQ(key_of(call.event), "s/message/7");
  call.event.id = {};
  EXPECT_EQ(key_of(call.event), "");
}

TEST(OnceTest, AMessageWithoutAnyIdIsRunEachTime) {
  Scripted scripted;
  int runs = 0;
  for (int i = 0; i < 2; ++i)
    scripted.once.run(Event{}, "t", [&] {
      ++runs;
      return done;
    });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(scripted.store->claims, 0);
}

TEST(OnceTest, TheSettingsDecide) {
  settings::reset();
  EXPECT_EQ(Once::from_settings(), nullptr);
  settings::set(settings::Key::once, "memory:10", settings::Origin::code);
  EXPECT_NE(Once::from_settings(), nullptr);
  for (const char* wrong :
       {"disk", "memory:0", "sqlite:", "redis://nohost", "redis://h:1/x", "redis://pw@h:1"})
    EXPECT_THROW(settings::set(settings::Key::once, wrong, settings::Origin::code), ConfigError) << wrong;
  settings::set(settings::Key::once, "redis://:hush@h:1/2", settings::Origin::code);
  for (const settings::Setting& setting : settings::in_force())
    EXPECT_THAT(setting.value, ::testing::Not(::testing::HasSubstr("hush")));
  settings::reset();
}

}  // namespace
}  // namespace cfd::once
