#include "resource_names.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace cfd::command {

std::string project_or_default(const std::string& option) {
  if (!option.empty()) return option;
  const char* project = std::getenv("GCP_PROJECT");
  return project != nullptr && *project != '\0' ? project : "my-project";
}

std::string full_name(std::string_view project, std::string_view kind, std::string_view name) {
  if (name.starts_with("projects/")) return std::string(name);
  return fmt::format("projects/{}/{}/{}", project, kind, name);
}

}  // namespace cfd::command
