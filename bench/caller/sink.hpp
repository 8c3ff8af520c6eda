#pragma once

namespace bench {

/// Serves Publish on `port`: counts the messages of a request without decoding them and answers with an id
/// for each, so that the client is what a measurement measures. Never returns.
[[noreturn]] void run_light_sink(int port);

}  // namespace bench
