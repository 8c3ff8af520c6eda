#pragma once

/// \file
/// A streaming walk over a JSON document along a table of the paths that matter; everything else is skipped.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cfd::http {

/// A place in a document. Which numbers mean what is the table's business; these two are common to all
/// tables.
using Place = std::uint8_t;
inline constexpr Place place_start = 0;      ///< around the document
inline constexpr Place place_ignored = 255;  ///< nothing below is of interest

/// "The member `key` of the object at `from` is at `to`." An empty key stands for every member, and for the
/// elements of an array; the first step that fits is taken.
struct Step {
  Place from;
  std::string_view key;
  Place to;
};

/// A string of the document. Where it stands in the document as it is, without escapes, it lives as long as
/// that; otherwise it lives until the call it is given to returns.
struct Text {
  std::string_view value;
  bool in_document;
};

/// Who reads the document. Each member returns a fault, one line, or nullptr to go on. Nothing is called at
/// place_ignored.
class JsonSink {
 public:
  virtual ~JsonSink() = default;
  virtual const char* object_begin(Place place) = 0;
  virtual const char* object_end(Place place) = 0;
  virtual const char* string(Place place, Text key, Text value) = 0;
  virtual const char* integer(Place place, std::int64_t value) = 0;
  virtual const char* array_begin(Place place) = 0;
  virtual const char* other(
      Place place) = 0;  ///< a boolean or a fraction; null is as if the member were not there
};

/// Walks `document`, which may be nested 32 deep. Returns a fault, one line; empty where all of it was read.
std::string walk_json(std::string_view document, std::span<const Step> steps, JsonSink& sink);

}  // namespace cfd::http
