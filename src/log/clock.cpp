#include "log/clock.hpp"

#include <algorithm>
#include <ctime>

namespace cfd::log {
namespace {

void put_digits(char* to, int width, std::int64_t value) noexcept {
  for (int i = width - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

// The calendar is worked out once a second and thread; between, only the milliseconds change.
struct Second {
  std::int64_t since_epoch = -1;
  std::array<char, 24> text;
};

void set_second(Second& second, std::int64_t since_epoch) noexcept {
  const std::time_t time = since_epoch;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  constexpr std::string_view form = "0000-00-00T00:00:00.000Z";
  std::copy(form.begin(), form.end(), second.text.begin());
  char* const text = second.text.data();
  put_digits(text, 4, utc.tm_year + 1900);
  put_digits(text + 5, 2, utc.tm_mon + 1);
  put_digits(text + 8, 2, utc.tm_mday);
  put_digits(text + 11, 2, utc.tm_hour);
  put_digits(text + 14, 2, utc.tm_min);
  put_digits(text + 17, 2, utc.tm_sec);
  second.since_epoch = since_epoch;
}

}  // namespace

Timestamp::Timestamp(std::chrono::system_clock::time_point time) noexcept {
  thread_local Second second;
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto s = std::chrono::floor<std::chrono::seconds>(ms);
  if (s.count() != second.since_epoch) set_second(second, s.count());
  text_ = second.text;
  put_digits(text_.data() + 20, 3, (ms - s).count());
}

}  // namespace cfd::log
