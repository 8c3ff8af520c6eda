#include "registry/registry.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

#include <fmt/format.h>

namespace cfd {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<detail::Function>, std::less<>> functions;
};

/// Never destroyed: functions are called until the program's last moment.
Registry& functions_by_name() {
  static auto& instance = *new Registry;
  return instance;
}

[[noreturn]] void stop_at_start(const std::string& message) {
  std::fputs(("cfd: " + message + "\n").c_str(), stderr);
  std::_Exit(2);  // static initialization has not ended: destructors must not run
}

std::string place(detail::SourceLocation location) {
  return fmt::format("{}:{}", location.file, location.line);
}

std::string describe(const std::vector<detail::ParameterInfo>& parameters, bool any_arguments) {
  if (any_arguments) return "(*args, **kwargs)";
  std::string text = "(";
  for (const detail::ParameterInfo& parameter : parameters) {
    if (text.size() > 1) text += ", ";
    if (parameter.optional) text += '[';
    if (!parameter.name.empty()) text += parameter.name + ": ";
    text += parameter.type;
    if (parameter.optional) text += ']';
  }
  return text + ")";
}

/// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv): stable across compilers, and nothing depends
/// on its being hard to forge.
std::string fingerprint_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace

namespace detail {

Function& register_function(FunctionName name, std::vector<ParameterInfo> parameters, bool any_arguments) {
  registry::link_manifest_flag();
  const std::scoped_lock lock(functions_by_name().mutex);
  auto& slot = functions_by_name().functions[std::string(name.text())];
  if (slot != nullptr)
    stop_at_start(fmt::format("two functions are named \"{}\": {} and {}; rename one of them", name.text(),
                              place(slot->location), place(name.location())));
  slot = std::make_unique<Function>();
  slot->name = name.text();
  slot->location = name.location();
  slot->signature = describe(parameters, any_arguments);
  slot->fingerprint = fingerprint_of(slot->signature);
  slot->parameters = std::move(parameters);
  slot->any_arguments = any_arguments;
  return *slot;
}

void register_body(Function& function, const Body& body, SourceLocation location) {
  const Body* none = nullptr;
  if (!function.body.compare_exchange_strong(none, &body))
    stop_at_start(fmt::format("\"{}\" is implemented twice: {} and {}; remove one of them", function.name,
                              place(function.implemented), place(location)));
  function.implemented = location;
}

}  // namespace detail

namespace registry {

const detail::Function* find(std::string_view name) noexcept {
  const std::scoped_lock lock(functions_by_name().mutex);
  const auto it = functions_by_name().functions.find(name);
  return it == functions_by_name().functions.end() ? nullptr : it->second.get();
}

std::vector<const detail::Function*> all() {
  const std::scoped_lock lock(functions_by_name().mutex);
  std::vector<const detail::Function*> functions;
  for (const auto& [name, function] : functions_by_name().functions) functions.push_back(function.get());
  return functions;
}

}  // namespace registry

}  // namespace cfd
