#include "transport/call_state.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/call.hpp>
#include <cfd/detail/function.hpp>
#include <cfd/error.hpp>
#include <cfd/options.hpp>

namespace cfd {
namespace {

using namespace std::chrono_literals;
using detail::CallState;

constexpr std::string_view an_id = "0123456789abcdef0123456789abcdef";

std::shared_ptr<CallState> new_state() {
  return std::make_shared<CallState>(an_id);
}

TEST(CallState, StaysSmallEnoughForAMillionPendingCalls) {
  EXPECT_LE(sizeof(CallState), 80U);
}

TEST(CallState, ConfirmsOnce) {
  const auto state = new_state();
  const Call call(state);
  EXPECT_EQ(call.id(), an_id);
  EXPECT_FALSE(call.done());
  EXPECT_THROW(call.wait_for(1ms), TimeoutError);
  state->confirm("1043501608491013");
  EXPECT_TRUE(call.done());
  EXPECT_EQ(call.wait(), "1043501608491013");
  EXPECT_EQ(call.wait_for(0ms), "1043501608491013");
  EXPECT_EQ(call.wait_for(std::chrono::milliseconds::max()), "1043501608491013");
}

TEST(CallState, KeepsALongMessageId) {
  const auto state = new_state();
  const std::string id(300, '7');
  state->confirm(id);
  EXPECT_EQ(Call(state).wait(), id);
}

TEST(CallState, FailsWithCodeAndText) {
  const auto state = new_state();
  state->fail("NOT_FOUND", "no such topic");
  try {
    Call(state).wait();
    FAIL() << "a failed call was taken for a confirmed one";
  } catch (const PublishError& e) {
    EXPECT_EQ(e.code(), "NOT_FOUND");
    EXPECT_STREQ(e.what(), "NOT_FOUND: no such topic");
  }
}

/// What the hook heard, and what it does besides: options cannot be unset, so one hook serves all tests.
struct HookLog {
  std::vector<std::string> heard;
  std::function<void()> then;
};

HookLog& hook_log() {
  static HookLog log;
  static const bool configured = [] {
    configure({.on_failed_call = [](const FailedCall& failed) {
      log.heard.push_back(std::string(failed.function) + " " + std::string(failed.call_id) + " " +
                          std::string(failed.code) + ": " + std::string(failed.message));
      if (log.then) log.then();
    }});
    return true;
  }();
  static_cast<void>(configured);
  log = {};
  return log;
}

const detail::Function& a_function() {
  static detail::Function function;
  function.name = "images.resize";
  return function;
}

TEST(FailedCallHook, HearsOfEachCallThatFailsBeforeItsHandleDoes) {
  HookLog& log = hook_log();
  const auto confirmed = detail::make_call_state(an_id, &a_function());
  const auto failed = detail::make_call_state(an_id, &a_function());
  const auto not_a_call = detail::make_call_state(an_id);
  bool was_done = true;
  log.then = [&] { was_done = failed->done(); };
  confirmed->confirm("1");
  failed->fail("NOT_FOUND", "no such topic");
  not_a_call->fail("NOT_FOUND", "no such topic");
  ASSERT_EQ(log.heard.size(), 1U);
  EXPECT_EQ(log.heard[0], "images.resize " + std::string(an_id) + " NOT_FOUND: no such topic");
  EXPECT_FALSE(was_done);
  EXPECT_TRUE(failed->done());
}

TEST(FailedCallHook, MayThrow) {
  HookLog& log = hook_log();
  for (int i = 0; i < 2; ++i) {
    log.then = [i] {
      if (i == 0) throw std::runtime_error("out of luck");
      throw 7;
    };
    const auto state = detail::make_call_state(an_id, &a_function());
    state->fail("NOT_FOUND", "no such topic");
    EXPECT_THROW(Call(state).wait(), PublishError);
  }
  EXPECT_EQ(log.heard.size(), 2U);
}

TEST(FailedCallHook, IsNotCalledFromWithinItself) {
  HookLog& log = hook_log();
  const auto inner = detail::make_call_state(an_id, &a_function());
  log.then = [&] { inner->fail("FAILED_PRECONDITION", "stopped"); };
  detail::make_call_state(an_id, &a_function())->fail("NOT_FOUND", "no such topic");
  EXPECT_TRUE(inner->done());
  EXPECT_EQ(log.heard.size(), 1U);
}

TEST(CallState, WakesEveryWaiterAndNeverMissesOne) {
  // Many short rounds: a lost wake-up would show as a wait that ends by its deadline.
  for (int round = 0; round < 500; ++round) {
    const auto state = new_state();
    std::vector<std::thread> waiters;
    waiters.reserve(3);
    for (int i = 0; i < 3; ++i) waiters.emplace_back([state] { EXPECT_EQ(Call(state).wait_for(60s), "42"); });
    state->confirm("42");
    for (std::thread& t : waiters) t.join();
  }
}

TEST(CallState, SaysThatAChildCannotWaitForItsParentsCall) {
  const auto state = new_state();
  const pid_t child = fork();
  if (child == 0) {
    try {
      Call(state).wait();
    } catch (const PublishError& e) {
      _exit(e.code() == "FAILED_PRECONDITION" ? 0 : 1);
    }
    _exit(2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  state->confirm("1");
  EXPECT_EQ(Call(state).wait(), "1");
}

}  // namespace
}  // namespace cfd
