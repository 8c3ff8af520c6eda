#include "caller/build_id.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <elf.h>
#include <link.h>

namespace cfd::caller {

namespace {

struct BuildId {
  std::array<char, 16> digits{};
  std::size_t size = 0;
};

void read_notes(const char* at, std::size_t size, BuildId& id) noexcept {
  const auto padded = [](std::size_t length) { return (length + 3) & ~std::size_t{3}; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const std::size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
    if (whole > size) return;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(at + sizeof note, "GNU", 4) == 0) {
      const char* bytes = at + sizeof note + padded(note.n_namesz);
      for (std::size_t i = 0; i < std::min<std::size_t>(8, note.n_descsz); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        id.digits[id.size++] = "0123456789abcdef"[byte >> 4U];
        id.digits[id.size++] = "0123456789abcdef"[byte & 15U];
      }
      return;
    }
    at += whole;
    size -= whole;
  }
}

/// Looks at the first object, which is the program itself, and stops.
int visit(dl_phdr_info* object, std::size_t /*size*/, void* id) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = object->dlpi_phdr[i];
    if (header.p_type == PT_NOTE)
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as integers
      read_notes(reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr), header.p_memsz,
                 *static_cast<BuildId*>(id));
  }
  return 1;
}

}  // namespace

std::string_view build_id() noexcept {
  static const BuildId id = [] {
    BuildId found;
    dl_iterate_phdr(visit, &found);
    return found;
  }();
  return {id.digits.data(), id.size};
}

}  // namespace cfd::caller
