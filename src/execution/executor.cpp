#include "execution/executor.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <random>
#include <typeinfo>

#include <cxxabi.h>
#include <fmt/format.h>

#include <cfd/detail/function.hpp>
#include <cfd/error.hpp>
#include <cfd/log.hpp>

#include "codec/envelope.hpp"
#include "execution/envelope.hpp"
#include "log/context.hpp"
#include "log/trace.hpp"
#include "metrics/metrics.hpp"
#include "registry/registry.hpp"
#include "signing/signature.hpp"

namespace cfd::execution {

namespace {

using Clock = std::chrono::steady_clock;

Outcome reject(std::string reason) {
  return {Verdict::reject, std::move(reason), {}};
}
Outcome retry(std::string reason) {
  return {Verdict::retry, std::move(reason), {}};
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type.name();
}

/// The exception in flight, as the function left it.
Outcome outcome_of_exception() {
  try {
    throw;
  } catch (const Reject& error) {
    return reject(fmt::format("rejected: {}", error.what()));
  } catch (const Retry& error) {
    return {Verdict::retry, fmt::format("asked to be retried: {}", error.what()), error.after()};
  } catch (const std::exception& error) {
    return retry(fmt::format("{}: {}", type_name(typeid(error)), error.what()));
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return retry(type == nullptr ? "an unknown exception"
                                 : fmt::format("exception of type {}", type_name(*type)));
  }
}

std::string unknown_function(std::string_view name) {
  std::string reason = fmt::format("unknown function \"{}\"", name.substr(0, 200));
  const auto close = registry::similar(name);
  if (!close.empty()) reason += fmt::format("; is \"{}\" meant?", fmt::join(close, "\" or \""));
  return reason;
}

std::string undecodable(const detail::Function& function, const Envelope& envelope,
                        const detail::Reader& reader) {
  std::string reason = fmt::format("{}{}: {}", function.name, function.signature, reader.error());
  if (!envelope.build.empty()) reason += fmt::format("; called by build {}", envelope.build);
  return reason;
}

Outcome invoke(const detail::Function& function, const detail::Body& body, const Envelope& envelope,
               std::stop_token stop) {
  detail::Reader reader(envelope.arguments, envelope.source);
  detail::Incoming incoming{
      reader, !envelope.signature.empty() && envelope.signature != function.fingerprint, std::move(stop), {}};
  try {
    if (!body.invoke(incoming)) return reject(undecodable(function, envelope, reader));
  } catch (...) {
    return outcome_of_exception();
  }
  if (!incoming.note.empty()) log::warning("{}: {}", function.name, incoming.note);
  return {};
}

Outcome call(const Event& event, const Envelope& envelope, const detail::Function* function,
             std::stop_token stop, const Around& around) {
  if (function == nullptr) return reject(unknown_function(envelope.function));
  const detail::Body* body = function->body.load();
  if (body == nullptr)
    return reject(
        fmt::format("{} is only declared in this program: link the file that implements it", function->name));
  log::Context context = log::context();
  context.function = function->name;
  const log::Scope scope(context);
  log::info("executing: {}", function->name);
  if (!around) return invoke(*function, *body, envelope, std::move(stop));
  const auto with = [&](std::stop_token token) {
    return invoke(*function, *body, envelope, std::move(token));
  };
  return around(*function, event, std::move(stop), std::ref(with));
}

/// Different for each execution, also those of one event, and among workers.
fmt::memory_buffer new_execution_id() {
  static const std::uint32_t process = std::random_device()();
  static std::atomic<std::uint64_t> next{1};
  fmt::memory_buffer id;
  fmt::format_to(std::back_inserter(id), "{:08x}-{}", process, next.fetch_add(1, std::memory_order_relaxed));
  return id;
}

/// The caller's own trace, where it carries a valid one, else that of the request that brought the message.
std::string_view trace_of(const Event& event) {
  return log::first_trace({event.attribute(codec::attribute::traceparent), event.trace});
}

/// A call under way, for the numbers of this process.
class InFlight {
 public:
  InFlight() noexcept { metrics::numbers().in_flight.fetch_add(1, std::memory_order_relaxed); }
  ~InFlight() { metrics::numbers().in_flight.fetch_sub(1, std::memory_order_relaxed); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
};

std::string_view status(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::executed:
      return "ok";
    case Verdict::retry:
      return "retry";
    case Verdict::reject:
      break;
  }
  return "reject";
}

/// Why the message is not to be executed, where this worker executes signed calls only.
std::string unsigned_call(const Event& event) {
  const signing::Keys* keys = signing::keys();
  if (keys == nullptr) return {};
  return signing::verify(*keys, {event.attributes, event.ordering_key, event.data}, signing::now_seconds());
}

Outcome run_logged(const Event& event, std::stop_token stop, const Around& around) {
  const InFlight in_flight;
  log::debug("Function execution started");
  const auto started = Clock::now();
  log::info("received event {} sent at {}", event.id,
            event.publish_time.empty() ? "an unknown time" : event.publish_time);
  Envelope envelope;
  envelope.error = unsigned_call(event);
  if (envelope.error.empty()) open(event, envelope);
  const detail::Function* function = envelope.error.empty() ? registry::find(envelope.function) : nullptr;
  Outcome outcome = envelope.error.empty() ? call(event, envelope, function, std::move(stop), around)
                                           : reject(std::move(envelope.error));
  const auto took = Clock::now() - started;
  metrics::record(function, outcome.verdict, took);
  log::Context context = log::context();
  if (function != nullptr) context.function = function->name;
  context.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  const log::Scope scope(context);
  if (outcome.verdict != Verdict::executed) log::error("{}", outcome.reason);
  log::debug("Function execution took {} ms, finished with status: '{}'", context.duration_ms,
             status(outcome.verdict));
  return outcome;
}

}  // namespace

Outcome run(const Event& event, std::string_view source, std::stop_token stop, const Around& around) {
  try {
    const auto id = new_execution_id();
    const log::Scope scope(
        {source, event.id, {}, trace_of(event), {id.data(), id.size()}, event.delivery_attempt});
    return run_logged(event, std::move(stop), around);
  } catch (const std::exception& error) {
    return retry(error.what());  // memory ran out outside the function: another attempt may find some
  }
}

}  // namespace cfd::execution
