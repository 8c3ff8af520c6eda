#pragma once

/// \file
/// Resource names: projects/P/topics/T and its like.

#include <string>
#include <string_view>

#include "emulator/status.hpp"

namespace cfd::emulator {

/// The topic of a subscription whose topic was deleted.
inline constexpr std::string_view deleted_topic = "_deleted-topic_";

/// The collections of a project.
enum class Collection : std::uint8_t { topics, subscriptions, snapshots, schemas };

std::string_view to_string(Collection collection) noexcept;

/// Views into a name that parse_name() accepted.
struct ResourceName {
  std::string_view project;
  std::string_view id;
};

/// Whether `name` is projects/P/<collection>/ID with a valid project and ID. INVALID_ARGUMENT says what is
/// wrong.
Status parse_name(std::string_view name, Collection collection, ResourceName& parsed);
Status check_name(std::string_view name, Collection collection);

/// Whether `name` is projects/P.
Status check_project(std::string_view name);

/// projects/P/<collection>/ID
std::string full_name(std::string_view project, Collection collection, std::string_view id);

}  // namespace cfd::emulator
