#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "registry/registry.hpp"

namespace cfd::registry {

namespace {

namespace json = boost::json;

json::object describe(const detail::Function& function) {
  json::array parameters;
  for (const detail::ParameterInfo& parameter : function.parameters) {
    json::object entry;
    if (!parameter.name.empty()) entry["name"] = parameter.name;
    entry["type"] = parameter.type;
    entry["optional"] = parameter.optional;
    parameters.push_back(std::move(entry));
  }
  json::object entry;
  entry["name"] = function.name;
  entry["signature"] = function.signature;
  entry["fingerprint"] = function.fingerprint;
  entry["executes"] = function.body.load() != nullptr;
  entry["any_arguments"] = function.any_arguments;
  entry["parameters"] = std::move(parameters);
  return entry;
}

}  // namespace

std::string manifest_json() {
  json::array functions;
  for (const detail::Function* function : all()) functions.push_back(describe(*function));
  json::object manifest;
  manifest["cfd_manifest"] = 1;
  manifest["functions"] = std::move(functions);
  return json::serialize(manifest);
}

}  // namespace cfd::registry
