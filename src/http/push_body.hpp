#pragma once

/// \file
/// The JSON bodies in which Pub/Sub messages arrive.

#include <string>

#include "http/delivery.hpp"

namespace cfd::http {

/// Reads a JSON object, in any of these forms, told apart by their members:
/// - a wrapped push, `{"message": {"data": …}, "subscription": …}`, which is also what Eventarc sends in
/// binary mode;
/// - a CloudEvent in structured mode, `{"specversion": …, "id": …, "data": {"message": …, "subscription":
/// …}}`, or with the base64 of that JSON in `data_base64` instead of `data`;
/// - a background event, `{"context": {"eventId": …}, "data": {"data": …}}`, or its older form without
/// `context`;
/// - a plain call, `{"function": …, "args": …}`, which is the data of a message that came without a wrapper.
///
/// `delivery` is emptied first. The data is decoded where it stands, so `body` changes. Returns what is wrong
/// with the body, one line that quotes nothing of it; empty where nothing is. Takes no memory beyond the
/// body's size, whatever the body says. Pure; fuzzed.
std::string parse_push(std::string& body, Delivery& delivery);

/// As parse_push(), for a JSON array of CloudEvents in structured mode, at most 1,000.
std::string parse_batch(std::string& body, Delivery& delivery);

}  // namespace cfd::http
