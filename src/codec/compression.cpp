#include "codec/compression.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace cfd::codec {

namespace {

constexpr int level = 1;  // at level 3 a 1 MB message takes twice as long for a few percent
constexpr int max_window_log =
    26;  // 64 MiB, as much as may come out: a window is allocated on the sender's word alone
constexpr std::size_t chunk = std::size_t{64} << 10U;

std::string too_large(std::size_t limit) {
  return fmt::format("more than {} bytes when decompressed", limit);
}

struct Free {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

std::string decompress_zstd(std::string_view data, std::size_t limit, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (context == nullptr) return "out of memory";
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, max_window_log);
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  std::array<char, chunk> buffer{};
  std::size_t pending = 1;
  while (pending != 0) {
    ZSTD_outBuffer piece{buffer.data(), buffer.size(), 0};
    const std::size_t before = in.pos;
    pending = ZSTD_decompressStream(context.get(), &piece, &in);
    if (ZSTD_isError(pending) != 0) return fmt::format("not valid zstd: {}", ZSTD_getErrorName(pending));
    if (piece.pos > limit - out.size()) return too_large(limit);
    out.append(buffer.data(), piece.pos);
    if (pending != 0 && in.pos == before && piece.pos == 0) return "not valid zstd: it ends too early";
  }
  if (in.pos != in.size) return "not valid zstd: bytes follow its end";
  return {};
}

std::string decompress_gzip(std::string_view data, std::size_t limit, std::string& out) {
  constexpr int gzip_only = 15 + 16;
  z_stream stream{};
  if (inflateInit2(&stream, gzip_only) != Z_OK) return "out of memory";
  const auto end = [](z_stream* s) { inflateEnd(s); };
  const std::unique_ptr<z_stream, decltype(end)> guard(&stream, end);
  stream.next_in = reinterpret_cast<const Bytef*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  std::array<char, chunk> buffer{};
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) return "not valid gzip";
    const std::size_t got = buffer.size() - stream.avail_out;
    if (got > limit - out.size()) return too_large(limit);
    out.append(buffer.data(), got);
  }
  if (stream.avail_in != 0) return "not valid gzip: bytes follow its end";
  return {};
}

}  // namespace

bool compress_zstd(std::string_view data, std::string& compressed) {
  compressed.resize(ZSTD_compressBound(data.size()));
  const std::size_t size =
      ZSTD_compress(compressed.data(), compressed.size(), data.data(), data.size(), level);
  if (ZSTD_isError(size) != 0 || size >= data.size()) return false;
  compressed.resize(size);
  return true;
}

std::string decompress(std::string_view encoding, std::string_view data, std::size_t limit,
                       std::string& decompressed) {
  decompressed.clear();
  if (encoding == "zstd") return decompress_zstd(data, limit, decompressed);
  if (encoding == "gzip") return decompress_gzip(data, limit, decompressed);
  return fmt::format("unknown content encoding \"{}\": zstd and gzip are read", encoding.substr(0, 40));
}

}  // namespace cfd::codec
