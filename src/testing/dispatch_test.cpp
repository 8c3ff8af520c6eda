// The decorator as its users see it, over the in-memory transport.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfd/dispatch.hpp>
#include <cfd/options.hpp>
#include <cfd/testing.hpp>

#include "registry/registry.hpp"

namespace {

using namespace cfd::literals;
using cfd::Verdict;
using cfd::testing::InMemory;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> seen;

int resize_image(int id, int width) {
  seen.push_back(fmt::format("resize {} {}", id, width));
  return id + width;
}

struct Dataset {
  std::vector<double> values;
  std::string name = "unnamed";
};

const auto greet = cfd::dispatch("test.greet", [](int a, int b, std::string cheer = "hooray!") {
  seen.push_back(fmt::format("greet {} {} {}", a, b, cheer));
});
const auto echo = cfd::dispatch("test.echo", [](cfd::Args args, cfd::Kwargs kwargs) {
  seen.push_back(fmt::format("echo {} {}", args, kwargs));
  return args.size();
});
const auto resize = cfd::dispatch("test.resize", &resize_image, cfd::arg("id"), cfd::arg("width") = 640);
const auto crop = cfd::dispatch("test.crop", &resize_image, "id"_arg, "width"_arg = 100);
const auto train = cfd::declare<double(Dataset, const std::string&)>("test.train");
const auto nowhere = cfd::declare<void(int)>("test.nowhere", cfd::arg("x") = 1);
const auto moving =
    cfd::dispatch("test.moving", [](std::unique_ptr<int> p, const std::vector<std::byte>& bytes) {
      seen.push_back(fmt::format("moving {} {}", *p, bytes.size()));
    });
const auto stoppable = cfd::dispatch("test.stoppable", [](std::stop_token stop, std::uint8_t a, bool b) {
  seen.push_back(fmt::format("stoppable {} {} {}", stop.stop_requested(), a, b));
});
const auto failing = cfd::dispatch("test.failing", [](std::string how) {
  if (how == "reject") throw cfd::Reject("never");
  if (how == "retry") throw cfd::Retry("later", std::chrono::seconds(5));
  if (how == "int") throw 5;
  throw std::out_of_range("boom");
});
const auto middle = cfd::dispatch(
    "test.middle",
    [](int a, int b = 2, int c = 3) { seen.push_back(fmt::format("middle {} {} {}", a, b, c)); },
    cfd::arg("a"), cfd::arg("b"), cfd::arg("c"));

const auto train_here = cfd::implement(train, [](const Dataset& data, std::string config) {
  seen.push_back(fmt::format("train {} {} {}", data.name, data.values.size(), config));
  return static_cast<int>(data.values.size());
});

class Dispatch : public testing::Test {
 protected:
  void SetUp() override { seen.clear(); }

  void expect_executed(const std::string& line) {
    EXPECT_EQ(pubsub.execute_next().verdict, Verdict::executed);
    EXPECT_THAT(seen, ElementsAre(line));
    seen.clear();
  }

  InMemory pubsub;
};

TEST_F(Dispatch, RunsNothingUntilExecuted) {
  const cfd::Call call = greet(1, 2);
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(call.id().size(), 32U);
  EXPECT_EQ(call.wait(), "1");
  const auto calls = pubsub.calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].function, "test.greet");
  EXPECT_EQ(calls[0].args, cfd::Args({1, 2}));
  EXPECT_EQ(calls[0].call_id, call.id());
  expect_executed("greet 1 2 hooray!");
}

TEST_F(Dispatch, ConvertsArgumentsAsAPlainCallWould) {
  greet(1L, short{2}, std::string_view("view"));
  expect_executed("greet 1 2 view");
  const std::string text(10'000, 'x');
  greet(true, 'A', text);
  expect_executed("greet 1 65 " + text);
  stoppable(255, true);
  expect_executed("stoppable false 255 true");
  const std::array<std::byte, 3> bytes{};
  moving(std::make_unique<int>(5), std::span(bytes));
  expect_executed("moving 5 3");
}

TEST_F(Dispatch, RefusesIntegersThatDoNotFit) {
  EXPECT_THROW(stoppable(256, true), cfd::CallError);
  EXPECT_THROW(stoppable(-1, true), cfd::CallError);
  EXPECT_THROW(greet(std::int64_t{1} << 40U, 2), cfd::CallError);
  const char* null = nullptr;
  EXPECT_THROW(greet(1, 2, null), cfd::CallError);
  EXPECT_TRUE(pubsub.calls().empty());
}

TEST_F(Dispatch, PassesAnyArguments) {
  echo(1, "a", cfd::arg("x") = 7);
  expect_executed(R"(echo [1, "a"] {"x": 7})");
  echo();
  expect_executed("echo [] {}");
  echo(1.5, std::vector<int>{1, 2}, std::map<std::string, bool>{{"k", true}}, Dataset{{2.0}, "d"},
       nullptr == nullptr);
  expect_executed(R"(echo [1.5, [1, 2], {"k": true}, [[2.0], "d"], true] {})");
  cfd::Args args({1});
  cfd::Kwargs kwargs;
  kwargs.set("x", 2);
  echo(args, kwargs);
  expect_executed(R"(echo [1] {"x": 2})");
}

TEST_F(Dispatch, NamesArguments) {
  resize(5);
  expect_executed("resize 5 640");
  resize(5, cfd::arg("width") = 7);
  expect_executed("resize 5 7");
  resize(cfd::arg("width") = 7, cfd::arg("id") = 6);
  expect_executed("resize 6 7");
  crop("width"_arg = 1, "id"_arg = 2);
  expect_executed("resize 2 1");
  crop(3, cfd::arg("width") = 4);
  expect_executed("resize 3 4");
  crop(3);
  expect_executed("resize 3 100");
}

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const cfd::CallError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(Dispatch, SaysWhatIsWrongWithANamedArgument) {
  EXPECT_EQ(error_of([] { resize(1, cfd::arg("height") = 7); }),
            "test.resize has no parameter named \"height\"; its parameters are (id: int32, [width: int32])");
  EXPECT_EQ(error_of([] { resize(1, cfd::arg("id") = 7); }), "test.resize: parameter \"id\" is given twice");
  EXPECT_EQ(error_of([] { resize(cfd::arg("width") = 7); }),
            "argument 1 (id) of test.resize is missing; its parameters are (id: int32, [width: int32])");
  EXPECT_EQ(
      error_of([] { resize(cfd::arg("id") = "x"); }),
      "test.resize: the value for \"id\" has the wrong type; its parameters are (id: int32, [width: int32])");
}

TEST_F(Dispatch, LeavesDefaultsInTheMiddleToTheirOwner) {
  middle(1, cfd::arg("b") = 5);
  expect_executed("middle 1 5 3");
  middle(1, cfd::arg("c") = 5);
  const auto outcome = pubsub.execute_next();
  EXPECT_EQ(outcome.verdict, Verdict::reject);
  EXPECT_THAT(outcome.reason, HasSubstr("argument 2 (b): is left out before one that is given"));
}

TEST_F(Dispatch, RunsLocallyAndReturnsTheResult) {
  EXPECT_EQ(resize.local(5), 645);
  EXPECT_EQ(resize.local(cfd::arg("width") = 1, cfd::arg("id") = 2), 3);
  EXPECT_EQ(echo.local(1, 2, cfd::arg("x") = 1), 2U);
  EXPECT_EQ(train.local(Dataset{{1, 2}}, "c"), 2.0);
  greet.local(1, 2);
  EXPECT_EQ(seen.back(), "greet 1 2 hooray!");
  moving.local(std::make_unique<int>(1), std::vector<std::byte>(2));
  EXPECT_EQ(seen.back(), "moving 1 2");
  EXPECT_THROW(nowhere.local(), cfd::CallError);
  EXPECT_THROW(failing.local("x"), std::out_of_range);
  EXPECT_TRUE(pubsub.calls().empty());
}

TEST_F(Dispatch, DeclaresWithoutABody) {
  train(Dataset{{1, 2, 3}, "mnist"}, "fast");
  expect_executed("train mnist 3 fast");
  nowhere(5);
  const auto outcome = pubsub.execute_next();
  EXPECT_EQ(outcome.verdict, Verdict::reject);
  EXPECT_EQ(outcome.reason,
            "test.nowhere is only declared in this program: link the file that implements it");
}

TEST_F(Dispatch, KeepsSuccessRetryAndRejectApart) {
  failing("reject");
  auto outcome = pubsub.execute_next();
  EXPECT_EQ(outcome.verdict, Verdict::reject);
  EXPECT_EQ(outcome.reason, "rejected: never");
  failing("retry");
  outcome = pubsub.execute_next();
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_EQ(outcome.after, std::chrono::seconds(5));
  EXPECT_EQ(pubsub.calls().size(), 1U);  // back in line
  failing("int");
  pubsub.execute_next();
  outcome = pubsub.execute_next();
  EXPECT_EQ(outcome.reason, "exception of type int");
  EXPECT_EQ(pubsub.execute_all(5).size(), 5U);
  failing("other");
  EXPECT_THAT(
      pubsub.execute_all(3).back().reason,
      testing::AnyOf("std::out_of_range: boom", "exception of type int", "asked to be retried: later"));
}

TEST_F(Dispatch, TravelsWithOptions) {
  greet.with({.ordering_key = "user-7"})(1, 2);
  EXPECT_EQ(pubsub.calls().at(0).ordering_key, "user-7");
}

TEST_F(Dispatch, RefusesAMessageAbovePubSubsLimit) {
  std::string noise(11'000'000, ' ');
  std::uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
  EXPECT_THAT(error_of([&] { greet(1, 2, noise); }),
              testing::ContainsRegex(
                  "the message of this call of test.greet is 110[0-9]* bytes, above Pub/Sub's limit"));
  greet(1, 2, std::string(11'000'000, ' '));  // compresses well
  EXPECT_EQ(pubsub.execute_next().verdict, Verdict::executed);
}

TEST_F(Dispatch, FailsTheHandleWhenPublishingFails) {
  pubsub.fail_with("NOT_FOUND", "no such topic");
  const cfd::Call call = greet(1, 2);
  EXPECT_TRUE(call.done());
  try {
    (void)call.wait();
    FAIL() << "did not throw";
  } catch (const cfd::PublishError& error) {
    EXPECT_EQ(error.code(), "NOT_FOUND");
  }
}

TEST_F(Dispatch, TellsTheHookOfACallThatFails) {
  static std::vector<std::string> heard;  // the option cannot be unset
  heard.clear();
  static InMemory* asked = nullptr;
  asked = &pubsub;
  cfd::configure({.on_failed_call = [](const cfd::FailedCall& call) {
    if (asked == nullptr) return;
    heard.push_back(fmt::format("{} {} {}: {}", call.function, call.call_id, call.code, call.message));
    EXPECT_TRUE(asked->calls().empty()) << "no lock is held that what the hook does would need";
  }});
  pubsub.fail_with("NOT_FOUND", "no such topic");
  const cfd::Call call = greet(1, 2);
  asked = nullptr;
  EXPECT_THAT(heard, ElementsAre(fmt::format("test.greet {} NOT_FOUND: no such topic", call.id())));
}

TEST_F(Dispatch, AllowsOneInMemoryTransportAtATime) {
  EXPECT_THROW(InMemory(), cfd::Error);
}

TEST_F(Dispatch, DescribesItself) {
  EXPECT_EQ(greet.signature(), "(int32, int32, [string])");
  EXPECT_EQ(resize.signature(), "(id: int32, [width: int32])");
  EXPECT_EQ(train.signature(), "({list<float64>, string}, string)");
  EXPECT_EQ(echo.signature(), "(*args, **kwargs)");
  EXPECT_THAT(cfd::registry::manifest_json(), HasSubstr(R"("name":"test.greet")"));
  EXPECT_THAT(cfd::registry::similar("test.great"), ElementsAre("test.greet"));
}

}  // namespace
