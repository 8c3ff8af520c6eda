#pragma once

/// \file
/// For unit tests of code that makes calls: no network, no settings, no other process, but the same encoding,
/// the same decoding and the same execution. Link cfd::testing.
///
///     TEST(Signup, SendsTheWelcomeMail) {
///       cfd::testing::InMemory pubsub;
///       sign_up("ada@example.com");
///       ASSERT_EQ(pubsub.calls().size(), 1);
///       EXPECT_EQ(pubsub.calls()[0].function, "mails.welcome");
///       EXPECT_EQ(pubsub.execute_next().verdict, cfd::Verdict::executed);
///     }

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <cfd/event.hpp>
#include <cfd/value.hpp>

namespace cfd::testing {

/// A call that was made and not executed yet.
struct RecordedCall {
  std::string function;
  Args args;      ///< as they went over the wire
  Kwargs kwargs;  ///< the named arguments
  std::string call_id;
  std::string ordering_key;
  std::string message_id;
};

/// While it lives, every call of this program is confirmed at once and kept here, in order, instead of being
/// published. One at a time; a second throws Error. Thread-safe.
class InMemory {
 public:
  InMemory();
  ~InMemory();
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;

  /// The calls not executed yet, oldest first.
  std::vector<RecordedCall> calls() const;

  /// Executes the oldest call on this thread, by the code that a cloud function uses. What is to be retried
  /// goes back to the end of the line. Throws Error where there is none.
  Outcome execute_next();

  /// Executes calls, and the calls that they make, until none is left or `limit` were executed, since what is
  /// retried for ever never ends. Returns their outcomes in order.
  std::vector<Outcome> execute_all(std::size_t limit = 1000);

  /// From now on confirming a call fails: its handle throws PublishError with this code and message.
  void fail_with(std::string code, std::string message);

 private:
  class Memory;
  std::shared_ptr<Memory> memory_;
};

}  // namespace cfd::testing
