#pragma once

/// \file
/// Names as people type them, made full.

#include <string>
#include <string_view>

namespace cfd::command {

/// The project of --project or the environment variable GCP_PROJECT, else "my-project", as no server of ours
/// minds.
std::string project_or_default(const std::string& option);

/// "my-topic" becomes "projects/PROJECT/topics/my-topic"; a full name stays. `kind` is "topics",
/// "subscriptions", ….
std::string full_name(std::string_view project, std::string_view kind, std::string_view name);

}  // namespace cfd::command
