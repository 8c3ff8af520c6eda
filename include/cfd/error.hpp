#pragma once

/// \file
/// The errors that cross the public API, one small hierarchy under cfd::Error.

#include <chrono>
#include <stdexcept>
#include <string>

namespace cfd {

/// Base of every exception this library throws. `what()` names the cause and, where there is one, the way
/// out.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting is missing or malformed. `what()` names the variable, the value found and what to set instead.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A call cannot be made as written: an unknown named argument, a name given twice, a message above
/// Pub/Sub's limit. Thrown by the call itself, before anything is sent.
class CallError : public Error {
 public:
  using Error::Error;
};

/// Pub/Sub did not take the message, for good: a permanent error, or the call's deadline passed.
class PublishError : public Error {
 public:
  PublishError(std::string code, const std::string& message)
      : Error(code + ": " + message), code_(std::move(code)) {}

  /// The gRPC status code by its standard name, such as "NOT_FOUND"; see grpc.io "Status codes".
  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// A wait ended before what was waited for. The call itself goes on and may still be confirmed.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// Thrown by a function that will never succeed on this message: the message goes to the dead-letter topic.
class Reject : public Error {
 public:
  using Error::Error;
};

/// Thrown by a function that wants to be run again later. Any other exception means the same, without a
/// delay.
class Retry : public Error {
 public:
  explicit Retry(const std::string& why, std::chrono::milliseconds after = {}) : Error(why), after_(after) {}

  /// How long to hold the message back before it is delivered again, as far as the transport can.
  std::chrono::milliseconds after() const noexcept { return after_; }

 private:
  std::chrono::milliseconds after_;
};

}  // namespace cfd
