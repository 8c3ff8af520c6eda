#pragma once

/// \file
/// Compression of a call's arguments: zstd written above a size, zstd and gzip read.

#include <string>
#include <string_view>

namespace cfd::codec {

/// Compresses with zstd. Returns false, leaving `compressed` unspecified, where that would not make it
/// smaller.
bool compress_zstd(std::string_view data, std::string& compressed);

/// Decompresses by the name of a content encoding, "zstd" or "gzip", at most `limit` bytes. Returns empty, or
/// one line that says what is wrong. Takes no more memory than what it has decompressed so far, doubled, and
/// a fixed window.
std::string decompress(std::string_view encoding, std::string_view data, std::size_t limit,
                       std::string& decompressed);

}  // namespace cfd::codec
