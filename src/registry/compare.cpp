#include "registry/compare.hpp"

#include <algorithm>
#include <map>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include <cfd/detail/function.hpp>

namespace cfd::registry {

namespace {

namespace json = boost::json;
using detail::ParameterInfo;

/// A function as a manifest describes it.
struct Described {
  std::string fingerprint;
  bool executes = false;
  bool any_arguments = false;
  std::vector<ParameterInfo> parameters;
};

using Functions = std::map<std::string, Described, std::less<>>;

std::string text(const json::object& object, json::string_view key) {
  return json::value_to<std::string>(object.at(key));
}

Functions read(std::string_view manifest) {
  const json::value root = json::parse({manifest.data(), manifest.size()});
  Functions functions;
  for (const json::value& value : root.at("functions").as_array()) {
    const json::object& object = value.as_object();
    Described& function = functions[text(object, "name")];
    function.fingerprint = text(object, "fingerprint");
    function.executes = object.at("executes").as_bool();
    function.any_arguments = object.at("any_arguments").as_bool();
    for (const json::value& entry : object.at("parameters").as_array()) {
      const json::object& parameter = entry.as_object();
      function.parameters.push_back({parameter.contains("name") ? text(parameter, "name") : "",
                                     text(parameter, "type"), parameter.at("optional").as_bool()});
    }
  }
  return functions;
}

std::string place(const ParameterInfo& parameter, std::size_t index) {
  return parameter.name.empty() ? fmt::format("argument {}", index + 1)
                                : fmt::format("argument {} ({})", index + 1, parameter.name);
}

class FunctionComparer {
 public:
  FunctionComparer(const std::string& name, std::vector<Finding>& findings)
      : name_(name), findings_(findings) {}

  void compare(const Described& caller, const Described& worker) {
    if (!worker.executes)
      return say(Severity::error, "the worker only declares it and links no implementation");
    if (worker.any_arguments || caller.fingerprint == worker.fingerprint) return;
    if (caller.any_arguments)
      return say(Severity::warning,
                 "the caller takes any arguments, the worker only those of its own signature");
    const std::size_t shared = std::min(caller.parameters.size(), worker.parameters.size());
    for (std::size_t i = 0; i < shared; ++i) compare_parameter(i, caller.parameters[i], worker.parameters[i]);
    compare_names(caller, worker);
    if (caller.parameters.size() > shared)
      say(Severity::note, fmt::format("{} argument(s) that the worker does not know are passed over",
                                      caller.parameters.size() - shared));
    for (std::size_t i = shared; i < worker.parameters.size(); ++i)
      if (!worker.parameters[i].optional)
        say(Severity::error,
            fmt::format("{} is expected and the caller does not send it", place(worker.parameters[i], i)));
  }

 private:
  void say(Severity severity, std::string reason) {
    findings_.push_back({severity, name_, std::move(reason)});
  }

  void compare_parameter(std::size_t index, const ParameterInfo& caller, const ParameterInfo& worker) {
    std::vector<std::pair<Severity, std::string>> reasons;
    compare_types(caller.type, worker.type, reasons);
    for (const auto& [severity, reason] : reasons)
      say(severity, fmt::format("{}: {}", place(worker, index), reason));
    if (caller.optional && !worker.optional)
      say(Severity::warning, fmt::format("{}: calls that leave it out fail", place(worker, index)));
  }

  void compare_names(const Described& caller, const Described& worker) {
    for (std::size_t i = 0; i < caller.parameters.size(); ++i) {
      const std::string& name = caller.parameters[i].name;
      if (name.empty()) continue;
      const auto it = std::ranges::find(worker.parameters, name, &ParameterInfo::name);
      const auto position = static_cast<std::size_t>(it - worker.parameters.begin());
      if (it == worker.parameters.end()) {
        if (i < worker.parameters.size())
          say(Severity::warning,
              fmt::format("calls that name \"{}\" fail or lose it: the worker has no such name", name));
      } else if (position != i) {
        say(Severity::error,
            fmt::format("\"{}\" is argument {} here and {} there", name, i + 1, position + 1));
      }
    }
  }

  const std::string& name_;
  std::vector<Finding>& findings_;
};

}  // namespace

Comparison compare(std::string_view caller, std::string_view worker) {
  Comparison result;
  Functions callers;
  Functions workers;
  try {
    callers = read(caller);
  } catch (const std::exception& error) {
    result.error = fmt::format("the caller's manifest cannot be read: {}", error.what());
    return result;
  }
  try {
    workers = read(worker);
  } catch (const std::exception& error) {
    result.error = fmt::format("the worker's manifest cannot be read: {}", error.what());
    return result;
  }
  result.functions = callers.size();
  for (const auto& [name, function] : callers) {
    const auto it = workers.find(name);
    if (it == workers.end())
      result.findings.push_back({Severity::error, name, "the worker does not know it"});
    else
      FunctionComparer(name, result.findings).compare(function, it->second);
  }
  return result;
}

}  // namespace cfd::registry
