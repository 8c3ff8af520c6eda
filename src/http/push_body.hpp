#pragma once

/// \file
/// The JSON body of a wrapped Pub/Sub push: `{"message": {"data": …, "attributes": …}, "subscription": …}`.

#include <string>

#include "http/delivery.hpp"

namespace cfd::http {

/// Reads `body` into `delivery`, which is emptied first. The data is decoded where it stands, so `body`
/// changes. Returns what is wrong with the body, one line that quotes nothing of it; empty where nothing is.
/// Takes no memory beyond the body's size, whatever the body says. Pure; fuzzed.
std::string parse_push(std::string& body, Delivery& delivery);

}  // namespace cfd::http
