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

/// A whole decimal number without sign; empty where it is none or does not fit.
std::optional<std::uint64_t> parse_number(std::string_view value);

/// A whole number and a unit: `500ms`, `10s`, `2m`, `1h`; empty where it is none or does not fit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view value);

/// A duration in the largest unit that loses nothing: the inverse of parse_duration().
std::string format_duration(std::chrono::milliseconds value);

}  // namespace cfd::settings
