#pragma once

/// \file
/// Many calls of one function: one for each element of a range, or of several ranges in step, with bounded
/// memory.
///
///     cfd::MapResult result = cfd::map(images::resize, ids, widths);   // resize(ids[0], widths[0]), ...
///     if (result.failed != 0) throw std::runtime_error(result.first_error);

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>

#include <cfd/call.hpp>
#include <cfd/error.hpp>

namespace cfd {

/// What became of the calls of cfd::map.
struct MapResult {
  std::uint64_t calls = 0;      ///< made
  std::uint64_t confirmed = 0;  ///< of those, taken by Pub/Sub
  std::uint64_t failed = 0;     ///< of those, failed for good
  std::string first_error;      ///< of the earliest call that failed; empty where none did
};

/// How cfd::map goes about it.
struct MapOptions {
  /// Calls that are not confirmed yet, at most. Each takes some hundred bytes, so millions of calls need no
  /// more memory than this many.
  std::size_t window = 10'000;
  /// Called on the calling thread, after every `progress_every` calls that were resolved and once at the end.
  std::function<void(const MapResult&)> progress = {};
  std::uint64_t progress_every = 10'000;
};

namespace detail {

/// The handles of calls under way, oldest first.
class CallWindow {
 public:
  explicit CallWindow(const MapOptions& options) : options_(options) {}

  void add(Call call) {
    ++result_.calls;
    open_.push_back(std::move(call));
    // What is done already costs no wait; what is not is waited for only when the window is full.
    while (!open_.empty() && (open_.size() > options_.window || open_.front().done())) resolve_oldest();
  }

  MapResult finish() {
    while (!open_.empty()) resolve_oldest();
    if (options_.progress) options_.progress(result_);
    return std::move(result_);
  }

 private:
  void resolve_oldest() {
    try {
      open_.front().wait();
      ++result_.confirmed;
    } catch (const PublishError& error) {
      if (result_.failed++ == 0) result_.first_error = error.what();
    }
    open_.pop_front();
    const std::uint64_t resolved = result_.confirmed + result_.failed;
    if (options_.progress && options_.progress_every != 0 && resolved % options_.progress_every == 0)
      options_.progress(result_);
  }

  const MapOptions& options_;
  std::deque<Call> open_;
  MapResult result_;
};

}  // namespace detail

/// Calls `function` with one element of each range at a time, until all ranges end, and waits until every
/// call is confirmed or failed. Failed calls are counted, not thrown. Ranges are read once, in step; where
/// one ends before the others, throws CallError, the calls up to there having been made. Throws also what the
/// call itself throws, such as ConfigError.
template <class Function, std::ranges::input_range... Ranges>
requires(sizeof...(Ranges) > 0) MapResult
    map(const MapOptions& options, const Function& function, Ranges&&... ranges) {
  detail::CallWindow window(options);
  auto at = std::make_tuple(std::ranges::begin(ranges)...);
  const auto ends = std::make_tuple(std::ranges::end(ranges)...);
  const auto ended = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (std::size_t{0} + ... + std::size_t{std::get<I>(at) == std::get<I>(ends)});
  };
  constexpr auto each = std::index_sequence_for<Ranges...>();
  while (ended(each) == 0) {
    window.add(std::apply([&](auto&... iterator) { return function(*iterator...); }, at));
    std::apply([](auto&... iterator) { (static_cast<void>(++iterator), ...); }, at);
  }
  if (ended(each) != sizeof...(Ranges)) throw CallError("cfd::map: the ranges are not of the same length");
  return window.finish();
}

/// As above, with the default options.
template <class Function, std::ranges::input_range... Ranges>
requires(sizeof...(Ranges) > 0) MapResult map(const Function& function, Ranges&&... ranges) {
  return map(MapOptions(), function, std::forward<Ranges>(ranges)...);
}

}  // namespace cfd
