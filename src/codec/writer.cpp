#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>

#include <cfd/detail/writer.hpp>
#include <cfd/error.hpp>

namespace cfd::detail {

namespace {

constexpr std::size_t initial_size = 512;     // most calls fit, and a thread keeps one buffer of this size
constexpr std::size_t keep_size = 1U << 20U;  // one huge call must not pin its memory for the thread's life

struct ThreadScratch {
  Writer writer;
  bool lent = false;
};

ThreadScratch& thread_scratch() {
  thread_local ThreadScratch scratch;
  return scratch;
}

}  // namespace

Writer::~Writer() {
  std::free(begin_);
}

void Writer::clear() noexcept {
  at_ = begin_;
  depth_ = 0;
  if (static_cast<std::size_t>(end_ - begin_) > keep_size) {
    std::free(begin_);
    begin_ = at_ = end_ = nullptr;
  }
}

void Writer::grow(std::size_t size) {
  const auto used = static_cast<std::size_t>(at_ - begin_);
  if (size > max_encoded_size - used)
    throw CallError("the arguments take more than " + std::to_string(max_encoded_size) +
                    " bytes: store them elsewhere and pass a reference to them");
  const std::size_t capacity =
      std::max({initial_size, 2 * static_cast<std::size_t>(end_ - begin_), used + size});
  auto* grown = static_cast<char*>(std::realloc(begin_, capacity));
  if (grown == nullptr) throw std::bad_alloc();
  begin_ = grown;
  at_ = grown + used;
  end_ = grown + capacity;
}

void Writer::too_deep() {
  throw CallError("the arguments are nested deeper than " + std::to_string(max_depth) +
                  " levels: flatten them, or pass a reference to where they are stored");
}

ScratchWriter::ScratchWriter() {
  ThreadScratch& scratch = thread_scratch();
  owned_ = scratch.lent;
  if (owned_) {
    writer_ = new Writer;
  } else {
    scratch.lent = true;
    writer_ = &scratch.writer;
    writer_->clear();
  }
}

ScratchWriter::~ScratchWriter() {
  if (owned_)
    delete writer_;
  else
    thread_scratch().lent = false;
}

}  // namespace cfd::detail
