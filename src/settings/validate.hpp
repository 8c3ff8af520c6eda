#pragma once

/// \file
/// How the values of settings are checked: pure functions over the text of a value.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfd::settings {

/// What is wrong with a value, as "must be …"; empty where nothing is.
using Fault = std::string;

/// A Google Cloud project id or number. Local servers take shorter ids than Google does, so these pass too.
Fault check_project(std::string_view value);

/// A Pub/Sub topic or subscription id, without the `projects/…/topics/` in front.
Fault check_resource_id(std::string_view value);

/// `host:port`, the host a name, an IPv4 address, or an IPv6 address in brackets.
Fault check_host_port(std::string_view value);

/// A whole number from `least` to `most`.
Fault check_number(std::string_view value, std::uint64_t least, std::uint64_t most);

/// A duration in a form of parse_duration(), from `least` to `most`.
Fault check_duration(std::string_view value, std::chrono::milliseconds least, std::chrono::milliseconds most);

/// Where executed calls are remembered: `memory[:ENTRIES]`, `sqlite:PATH`,
/// `redis://[:PASSWORD@]HOST:PORT[/DB]` or `redis+unix://PATH`.
Fault check_store(std::string_view value);

/// An e-mail address, roughly.
Fault check_email(std::string_view value);

/// Any text without control characters, up to 1,000 bytes.
Fault check_one_line(std::string_view value);

/// A URL from which keys may be taken: nobody on the way can change what https and a file bring, nor what
/// http brings from this machine.
Fault check_key_url(std::string_view value);

/// `ID:HEX[,ID:HEX...]`, each key of 16 to 64 bytes, or `file:PATH`, whose content is not looked at.
Fault check_signing_keys(std::string_view value);

/// A whole decimal number without sign; empty where it is none or does not fit.
std::optional<std::uint64_t> parse_number(std::string_view value);

/// A whole number and a unit: `500ms`, `10s`, `2m`, `1h`; empty where it is none or does not fit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view value);

/// A duration in the largest unit that loses nothing: the inverse of parse_duration().
std::string format_duration(std::chrono::milliseconds value);

}  // namespace cfd::settings
