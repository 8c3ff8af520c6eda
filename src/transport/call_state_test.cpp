#include "transport/call_state.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfd/call.hpp>
#include <cfd/error.hpp>

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

TEST(CallState, WakesEveryWaiterAndNeverMissesOne) {
  // Many short rounds: a lost wake-up would show as a wait that ends by its deadline.
  for (int round = 0; round < 500; ++round) {
    const auto state = new_state();
    std::vector<std::thread> waiters;
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
