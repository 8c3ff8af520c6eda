#include "http/json_reader.hpp"

#include <array>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace cfd::http {
namespace {

namespace json = boost::json;
using Error = boost::system::error_code;

constexpr std::size_t deepest = 32;

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

// A string that arrives in parts, because it has escapes, is put together here.
class Assembled {
 public:
  explicit Assembled(std::string_view document) : document_(document) {}

  void add(json::string_view part) { parts_.append(part.data(), part.size()); }

  Text finish(json::string_view last) {
    const bool in_document = parts_.empty() && last.data() >= document_.data() &&
                             last.data() + last.size() <= document_.data() + document_.size();
    if (in_document) return {view(last), true};
    whole_.swap(parts_);
    parts_.clear();
    whole_.append(last.data(), last.size());
    return {whole_, false};
  }

 private:
  std::string_view document_;
  std::string parts_;
  std::string whole_;
};

// Boost.JSON's parser calls this for each token; it keeps the way from the root to the current container.
class Walker {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  Walker(std::string_view document, std::span<const Step> steps, JsonSink& sink)
      : steps_(steps), sink_(sink), key_parts_(document), value_parts_(document) {}

  const char* fault() const { return fault_; }

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }

  bool on_object_begin(Error& error) {
    const Place place = enter();
    return place == place_ignored || go_on(sink_.object_begin(place), error);
  }

  bool on_object_end(std::size_t, Error& error) {
    const Place place = path_.at(--depth_);
    return place == place_ignored || go_on(sink_.object_end(place), error);
  }

  bool on_array_begin(Error& error) {
    const Place place = enter();
    key_ = {};
    return place == place_ignored || go_on(sink_.array_begin(place), error);
  }

  bool on_array_end(std::size_t, Error&) {
    --depth_;
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, Error&) {
    key_parts_.add(part);
    return true;
  }

  bool on_key(json::string_view last, std::size_t, Error&) {
    key_ = key_parts_.finish(last);
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, Error&) {
    value_parts_.add(part);
    return true;
  }

  bool on_string(json::string_view last, std::size_t, Error& error) {
    const Text value = value_parts_.finish(last);
    const Place place = next();
    return place == place_ignored || go_on(sink_.string(place, key_, value), error);
  }

  bool on_number_part(json::string_view, Error&) { return true; }

  bool on_int64(std::int64_t value, json::string_view, Error& error) {
    const Place place = next();
    return place == place_ignored || go_on(sink_.integer(place, value), error);
  }

  bool on_uint64(std::uint64_t, json::string_view, Error& error) { return on_other(error); }
  bool on_double(double, json::string_view, Error& error) { return on_other(error); }
  bool on_bool(bool, Error& error) { return on_other(error); }
  bool on_null(Error&) { return true; }
  bool on_comment_part(json::string_view, Error&) { return true; }
  bool on_comment(json::string_view, Error&) { return true; }

 private:
  // Where the value that begins now is. Inside an array the key is empty.
  Place next() const {
    const Place from = depth_ == 0 ? place_start : path_.at(depth_ - 1);
    if (from == place_ignored) return place_ignored;
    for (const Step& step : steps_)
      if (step.from == from && (step.key.empty() || step.key == key_.value)) return step.to;
    return place_ignored;
  }

  // The parser's own limit on depth keeps this inside the array.
  Place enter() {
    const Place place = next();
    path_.at(depth_++) = place;
    return place;
  }

  bool on_other(Error& error) {
    const Place place = next();
    return place == place_ignored || go_on(sink_.other(place), error);
  }

  bool go_on(const char* fault, Error& error) {
    if (fault == nullptr) return true;
    fault_ = fault;
    error = json::error::exception;
    return false;
  }

  std::span<const Step> steps_;
  JsonSink& sink_;
  std::array<Place, deepest + 2> path_{};
  std::size_t depth_ = 0;
  Assembled key_parts_;
  Assembled value_parts_;
  Text key_{};
  const char* fault_ = nullptr;
};

}  // namespace

std::string walk_json(std::string_view document, std::span<const Step> steps, JsonSink& sink) {
  json::parse_options options;
  options.max_depth = deepest;
  json::basic_parser<Walker> parser(options, document, steps, sink);
  Error error;
  const std::size_t read = parser.write_some(false, document.data(), document.size(), error);
  if (parser.handler().fault() != nullptr) return parser.handler().fault();
  if (error == json::error::too_deep) return fmt::format("is JSON nested more than {} deep", deepest);
  if (error == json::error::incomplete) return "is JSON that ends too early";
  if (error) return fmt::format("is no JSON: {} at byte {}", error.message(), read);
  if (read != document.size()) return fmt::format("goes on after its JSON, at byte {}", read);
  return {};
}

}  // namespace cfd::http
