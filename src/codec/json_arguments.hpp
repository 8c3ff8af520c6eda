#pragma once

/// \file
/// The JSON form of a call, for gcloud, Cloud Scheduler and any language: {"function": …, "args": […],
/// "kwargs": {…}}.

#include <string>
#include <string_view>

namespace cfd::codec {

/// A call as JSON gave it; `arguments` is the same as MessagePack, `[[args...], {kwargs...}]`.
struct JsonCall {
  std::string function;
  std::string call_id;  ///< from "call_id"; empty where there is none
  std::string arguments;
};

/// Parses and converts. Returns empty, or one line that says what is wrong. Memory is bounded by a small
/// multiple of the text, depth by detail::max_depth.
std::string parse_json_call(std::string_view text, JsonCall& call);

}  // namespace cfd::codec
