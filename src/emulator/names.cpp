#include "emulator/names.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace cfd::emulator {

namespace {

constexpr std::string_view projects = "projects/";

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

Status check_id(std::string_view name, std::string_view id) {
  const auto allowed = [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view{"-_.~+%"}.find(c) != std::string_view::npos;
  };
  std::string_view wrong;
  if (id.size() < 3 || id.size() > 255)
    wrong = "the last part must have 3 to 255 characters";
  else if (!is_letter(id.front()))
    wrong = "the last part must start with a letter";
  else if (!std::ranges::all_of(id, allowed))
    wrong = "the last part may only contain letters, digits and -_.~+%";
  else if (id.starts_with("goog"))
    wrong = "the last part must not start with \"goog\"";
  else
    return {};
  return invalid_argument(fmt::format("Invalid resource name given (name={}): {}.", name, wrong));
}

}  // namespace

std::string_view to_string(Collection collection) noexcept {
  switch (collection) {
    case Collection::topics:
      return "topics";
    case Collection::subscriptions:
      return "subscriptions";
    case Collection::snapshots:
      return "snapshots";
    case Collection::schemas:
      return "schemas";
  }
  return "";
}

Status parse_name(std::string_view name, Collection collection, ResourceName& parsed) {
  const auto malformed = [&] {
    return invalid_argument(
        fmt::format("Invalid resource name given (name={}): expected projects/PROJECT/{}/NAME.", name,
                    to_string(collection)));
  };
  if (!name.starts_with(projects)) return malformed();
  const auto rest = name.substr(projects.size());
  const auto slash = rest.find('/');
  if (slash == 0 || slash == std::string_view::npos) return malformed();
  const auto tail = rest.substr(slash + 1);
  const auto kind = to_string(collection);
  if (!tail.starts_with(kind) || tail.size() <= kind.size() || tail[kind.size()] != '/') return malformed();
  parsed = {rest.substr(0, slash), tail.substr(kind.size() + 1)};
  return check_id(name, parsed.id);
}

Status check_name(std::string_view name, Collection collection) {
  ResourceName parsed;
  return parse_name(name, collection, parsed);
}

Status check_project(std::string_view name) {
  const bool good = name.starts_with(projects) && name.size() > projects.size() &&
                    name.find('/', projects.size()) == std::string_view::npos;
  return good ? Status{}
              : invalid_argument(
                    fmt::format("Invalid project name given (name={}): expected projects/PROJECT.", name));
}

std::string full_name(std::string_view project, Collection collection, std::string_view id) {
  return fmt::format("projects/{}/{}/{}", project, to_string(collection), id);
}

}  // namespace cfd::emulator
