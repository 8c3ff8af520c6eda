#include <deque>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include <cfd/detail/target.hpp>
#include <cfd/error.hpp>
#include <cfd/testing.hpp>

#include "caller/session.hpp"
#include "codec/envelope.hpp"
#include "execution/envelope.hpp"
#include "execution/executor.hpp"
#include "transport/transport.hpp"

namespace cfd::testing {

namespace {

constexpr std::string_view source = "in-memory";

/// A message as it was published.
struct Message {
  std::string id;
  std::string data;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string ordering_key;
};

/// Views a message as an arriving one, for the length of a call of `use`.
template <class Use>
auto with_event(const Message& message, Use use) {
  std::vector<Attribute> attributes;
  for (const auto& [key, value] : message.attributes) attributes.push_back({key, value});
  Event event;
  event.id = message.id;
  event.subscription = source;
  event.ordering_key = message.ordering_key;
  event.data = message.data;
  event.attributes = attributes;
  return use(std::as_const(event));
}

RecordedCall record(const Message& message) {
  return with_event(message, [&](const Event& event) {
    execution::Envelope envelope;
    execution::open(event, envelope);
    RecordedCall call;
    call.function = envelope.function;
    call.call_id = envelope.call_id;
    call.ordering_key = message.ordering_key;
    call.message_id = message.id;
    detail::Reader reader(envelope.arguments, envelope.source);
    if (!envelope.error.empty() || !detail::read_any_arguments(reader, call.args, call.kwargs))
      throw Error("a recorded call does not decode: " + envelope.error + reader.error());
    return call;
  });
}

}  // namespace

class InMemory::Memory final : public transport::Publisher {
  using Clock = transport::Clock;

 public:
  void publish(const transport::Outgoing& outgoing, detail::CallStatePtr call) override {
    std::unique_lock lock(mutex_);
    if (const auto failure = failure_; !failure.first.empty()) {
      lock.unlock();  // the hook of a failed call may make calls
      return call->fail(failure.first, failure.second);
    }
    Message message{
        fmt::format("{}", ++last_id_), std::string(outgoing.data), {}, std::string(outgoing.ordering_key)};
    for (const Attribute& attribute : outgoing.attributes)
      message.attributes.emplace_back(attribute.key, attribute.value);
    call->confirm(message.id);
    messages_.push_back(std::move(message));
  }

  std::size_t flush(Clock::time_point /*deadline*/) override { return 0; }
  std::size_t close(Clock::time_point /*deadline*/) override { return 0; }

  std::vector<RecordedCall> calls() const {
    const std::scoped_lock lock(mutex_);
    std::vector<RecordedCall> calls;
    for (const Message& message : messages_) calls.push_back(record(message));
    return calls;
  }

  bool empty() const {
    const std::scoped_lock lock(mutex_);
    return messages_.empty();
  }

  Outcome execute_next() {
    Message message = take();
    Outcome outcome = with_event(message, [](const Event& event) { return execution::run(event, source); });
    const std::scoped_lock lock(mutex_);
    if (outcome.verdict == Verdict::retry) messages_.push_back(std::move(message));
    return outcome;
  }

  void fail_with(std::string code, std::string message) {
    const std::scoped_lock lock(mutex_);
    failure_ = {std::move(code), std::move(message)};
  }

 private:
  Message take() {
    const std::scoped_lock lock(mutex_);
    if (messages_.empty()) throw Error("no call was made, or all are executed");
    Message message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

  mutable std::mutex mutex_;
  std::deque<Message> messages_;
  std::uint64_t last_id_ = 0;
  std::pair<std::string, std::string> failure_;
};

InMemory::InMemory() : memory_(std::make_shared<Memory>()) {
  if (auto former = caller::replace_publisher(memory_); former != nullptr) {
    caller::replace_publisher(std::move(former));
    throw Error("another cfd::testing::InMemory is alive: one program has one transport at a time");
  }
}

InMemory::~InMemory() {
  caller::replace_publisher(nullptr);
}

std::vector<RecordedCall> InMemory::calls() const {
  return memory_->calls();
}

Outcome InMemory::execute_next() {
  return memory_->execute_next();
}

std::vector<Outcome> InMemory::execute_all(std::size_t limit) {
  std::vector<Outcome> outcomes;
  while (outcomes.size() < limit && !memory_->empty()) outcomes.push_back(memory_->execute_next());
  return outcomes;
}

void InMemory::fail_with(std::string code, std::string message) {
  memory_->fail_with(std::move(code), std::move(message));
}

}  // namespace cfd::testing
