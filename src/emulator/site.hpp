#pragma once

/// \file
/// What the HTTP port answers: the page for people with the figures behind it, the REST mapping, faults for
/// tests, and the keys of push tokens. Knows no sockets.

#include <span>
#include <string>
#include <string_view>

#include "emulator/access.hpp"

namespace cfd::emulator {

class Broker;
class OidcSigner;
class Rest;

struct WebRequest {
  std::string_view method;
  std::string_view target;  ///< path and query
  RequestSource source;
  const std::string& body;
};

struct WebAnswer {
  unsigned status = 200;
  std::string_view type = "application/json; charset=utf-8";  ///< Content-Type
  std::string body;
};

/// Thread-safe.
class Site {
 public:
  /// `own_address` is what the server listens on, as its user named it.
  Site(Broker& broker, Rest& rest, OidcSigner& signer, std::string own_address);

  /// May block until what it did is durable.
  WebAnswer handle(const WebRequest& request);

 private:
  WebAnswer get(std::string_view path, std::string_view query);
  WebAnswer add_fault(const std::string& body);

  Broker& broker_;
  Rest& rest_;
  OidcSigner& signer_;
  const std::string own_address_;
};

/// The figures of all topics and subscriptions at this moment, as JSON for the page.
std::string state_json(const Broker& broker);

/// The latest messages, newest first, each with what happened to it. At most `limit`.
std::string messages_json(const Broker& broker, std::size_t limit);

/// One message with its data in base64; empty where it is not held.
std::string message_json(const Broker& broker, std::uint64_t id);

/// The latest dead letters, newest first, each with the reason.
std::string dead_letters_json(const Broker& broker);

/// A file of the page, made part of the program by the build.
struct PageFile {
  std::string_view path;  ///< as in the URL
  std::string_view type;
  std::string_view content;
};
extern const std::span<const PageFile> page_files;

}  // namespace cfd::emulator
