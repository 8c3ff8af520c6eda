#pragma once

/// \file
/// From a message to the function it names and the bytes of its arguments; docs/wire-format.md is the
/// specification.

#include <string>
#include <string_view>

#include <cfd/detail/reader.hpp>
#include <cfd/event.hpp>

namespace cfd::execution {

/// An opened message. `arguments` views into the event's data or into `storage`.
struct Envelope {
  std::string function;
  std::string signature;  ///< the caller's fingerprint; empty where it gave none
  std::string build;      ///< the caller's build; empty where it gave none
  std::string call_id;
  std::string_view arguments;
  detail::Reader::Source source = detail::Reader::Source::msgpack;
  std::string storage;
  std::string error;  ///< why it cannot be opened; empty where it could
};

/// Opens a message of either form: with attributes and MessagePack, or plain JSON. `error` is set where it
/// cannot.
void open(const Event& event, Envelope& envelope);

}  // namespace cfd::execution
