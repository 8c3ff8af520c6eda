#include <array>

#include <fmt/format.h>

#include <cfd/detail/outgoing_call.hpp>
#include <cfd/error.hpp>
#include <cfd/log.hpp>

#include "caller/build_id.hpp"
#include "caller/call_id.hpp"
#include "caller/session.hpp"
#include "codec/compression.hpp"
#include "codec/envelope.hpp"
#include "log/context.hpp"
#include "log/trace.hpp"
#include "signing/signature.hpp"
#include "transport/transport.hpp"

namespace cfd {

namespace {

namespace attribute = codec::attribute;

// Below this size the time that compression takes is longer than the time that the saved bytes take on the
// wire.
constexpr std::size_t compress_from = 4096;

/// The message's attributes, at most eight.
class Attributes {
 public:
  void add(std::string_view key, std::string_view value) noexcept { entries_[size_++] = {key, value}; }
  std::span<const Attribute> view() const noexcept { return {entries_.data(), size_}; }
  std::size_t bytes() const noexcept {
    std::size_t total = 0;
    for (const Attribute& a : view()) total += a.key.size() + a.value.size();
    return total;
  }

 private:
  std::array<Attribute, 8> entries_{};
  std::size_t size_ = 0;
};

void log_push(const detail::Function& function, std::string_view call_id) {
  if (!log::enabled(log::Level::info)) return;
  // Inside a running call the line belongs to that call; elsewhere to the one that is pushed.
  const std::string_view running = log::context().event_id;
  log::write_for(running.empty() ? call_id : running, log::Level::info,
                 fmt::format("pushing function call to pubsub: {}", function.name));
}

}  // namespace

namespace detail {

Call submit(const Function& function, std::string_view arguments, const CallOptions& options) {
  transport::Publisher& publisher = caller::publisher();
  const auto id = caller::make_call_id();
  const std::string_view call_id(id.data(), id.size());
  Attributes attributes;
  attributes.add(attribute::function, function.name);
  attributes.add(attribute::format, codec::format_version);
  attributes.add(attribute::call_id, call_id);
  attributes.add(attribute::signature, function.fingerprint);
  if (const auto build = caller::build_id(); !build.empty()) attributes.add(attribute::build, build);
  std::array<char, 55> traceparent;
  if (const auto trace = log::parse_trace(log::context().trace)) {
    traceparent = log::to_traceparent(*trace);
    attributes.add(attribute::traceparent, {traceparent.data(), traceparent.size()});
  }
  std::string compressed;
  if (arguments.size() >= compress_from && codec::compress_zstd(arguments, compressed)) {
    arguments = compressed;
    attributes.add(attribute::content_encoding, "zstd");
  }
  std::string hmac;
  if (const signing::Keys* keys = signing::keys()) {
    hmac = signing::sign(*keys, {attributes.view(), options.ordering_key, arguments}, signing::now_seconds());
    attributes.add(attribute::hmac, hmac);
  }
  const std::size_t size = arguments.size() + attributes.bytes() + options.ordering_key.size();
  if (size > codec::max_message_size)
    throw CallError(
        fmt::format("the message of this call of {} is {} bytes, above Pub/Sub's limit of {}: store the data "
                    "elsewhere and pass a reference to it",
                    function.name, size, codec::max_message_size));
  log_push(function, call_id);
  auto state = make_call_state(call_id, &function);
  publisher.publish({arguments, attributes.view(), options.ordering_key}, state);
  return Call(std::move(state));
}

}  // namespace detail

bool flush(std::chrono::milliseconds timeout) {
  return caller::flush(std::chrono::steady_clock::now() + timeout);
}

void resume(std::string_view ordering_key) {
  if (const auto publisher = caller::connected_publisher()) publisher->resume(ordering_key);
}

void resume_all() {
  if (const auto publisher = caller::connected_publisher()) publisher->resume_all();
}

}  // namespace cfd
