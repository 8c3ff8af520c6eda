#include "worker/ready_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include <cfd/error.hpp>

namespace cfd::worker {

void write_ready_file(const std::string& path, const std::string& line) {
  const std::string temporary = fmt::format("{}.{}", path, ::getpid());
  std::ofstream file(temporary);
  file << line << '\n';
  file.close();
  if (!file) throw Error(fmt::format("cannot write the ready file {}: {}", temporary, std::strerror(errno)));
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) throw Error(fmt::format("cannot write the ready file {}: {}", path, error.message()));
}

}  // namespace cfd::worker
