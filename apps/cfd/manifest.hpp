#pragma once

/// \file
/// Getting the manifest of a program.

#include <string>

namespace cfd::command {

/// The manifest at `path`: of a program, which is run with --cfd-manifest, or of a JSON file that one
/// printed. Throws cfd::Error, saying what is wrong with the file or what the program did instead.
std::string load_manifest(const std::string& path);

}  // namespace cfd::command
