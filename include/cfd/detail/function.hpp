#pragma once

/// \file
/// A dispatchable as the registry knows it: by name, with all types erased. Not API.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfd::detail {

class Reader;
class Writer;

/// A place in the source.
struct SourceLocation {
  const char* file;
  unsigned line;
};

/// The name of a function, checked as it compiles, and where it was written. Implicit, so that its default
/// arguments are the place of the definition that names it.
class FunctionName {
 public:
  template <std::size_t N>
  // NOLINTNEXTLINE(google-explicit-constructor)
  consteval FunctionName(const char (&text)[N], const char* file = __builtin_FILE(),
                         unsigned line = __builtin_LINE())
      : text_(text, N - 1), location_{file, line} {
    // A throw is what a constant expression may not reach: the compiler's message shows this line.
    if (!valid(text_)) throw "cfd: a function's name is 1 to 200 characters of A-Z a-z 0-9 _ . - :";
  }

  constexpr std::string_view text() const noexcept { return text_; }
  constexpr SourceLocation location() const noexcept { return location_; }

 private:
  static constexpr bool valid(std::string_view text) noexcept {
    if (text.empty() || text.size() > 200) return false;
    for (const char c : text)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
            c == '.' || c == '-' || c == ':'))
        return false;
    return true;
  }

  std::string_view text_;
  SourceLocation location_;
};

/// One parameter in words.
struct ParameterInfo {
  std::string name;  ///< empty where it has none
  std::string type;
  bool optional = false;
};

/// One arriving call, on its way into a body.
struct Incoming {
  Reader& reader;           ///< at the array of arguments and named arguments
  bool from_newer = false;  ///< the caller's signature is not ours: arguments beyond ours are passed over
  std::stop_token stop = {};
  std::string note = {};  ///< for the log: what was passed over
};

/// The executing side of a function.
class Body {
 public:
  virtual ~Body() = default;

  /// Decodes the arguments and calls. Returns false where they do not decode; the reader says why, and
  /// nothing ran. What the function throws passes through. Thread-safe as far as the function is.
  virtual bool invoke(Incoming& incoming) const = 0;
};

/// A named function. Lives as long as the program, at one address.
struct Function {
  std::string name;
  SourceLocation location{};
  std::vector<ParameterInfo> parameters;
  bool any_arguments = false;               ///< (cfd::Args, cfd::Kwargs)
  std::string signature;                    ///< in words, such as "(int32, int32, [string])"
  std::string fingerprint;                  ///< 16 hexadecimal digits over the signature
  std::atomic<const Body*> body = nullptr;  ///< null where this program only declares it
  SourceLocation implemented{};
  std::chrono::milliseconds timeout{0};  ///< zero: that of the settings
  /// Its Parameters. They live as long as the program, too; the compiler may find nobody who reads them, and
  /// a leak checker would then find them lost.
  const void* kept = nullptr;
};

/// Adds a function. Where the name is taken, names both places on standard error and ends the program with
/// status 2: one name for two functions would send calls to the wrong one. Called during static
/// initialization.
Function& register_function(FunctionName name, std::vector<ParameterInfo> parameters, bool any_arguments);

/// Gives a declared function its body. Ends the program, as above, where it has one.
void register_body(Function& function, const Body& body, SourceLocation location);

}  // namespace cfd::detail
