#include "logging/clock.hpp"

#include <ctime>

namespace slipway::logging {
namespace {

void put_digits(char* at, int digits, long long value) {
  for (char* p = at + digits; p != at; value /= 10) *--p = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view Timestamp::format(std::chrono::system_clock::time_point time) {
  constexpr std::size_t kLength = 24;
  const long long now = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  if (now == millisecond_) return {text_, kLength};
  millisecond_ = now;
  const long long second = now >= 0 ? now / 1000 : (now - 999) / 1000;
  if (second != second_) {
    second_ = second;
    const auto seconds = static_cast<std::time_t>(second);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    put_digits(text_, 4, utc.tm_year + 1900);
    text_[4] = text_[7] = '-';
    put_digits(text_ + 5, 2, utc.tm_mon + 1);
    put_digits(text_ + 8, 2, utc.tm_mday);
    text_[10] = 'T';
    put_digits(text_ + 11, 2, utc.tm_hour);
    text_[13] = text_[16] = ':';
    put_digits(text_ + 14, 2, utc.tm_min);
    put_digits(text_ + 17, 2, utc.tm_sec);
    text_[19] = '.';
    text_[23] = 'Z';
  }
  put_digits(text_ + 20, 3, now - second * 1000);
  return {text_, kLength};
}

}  // namespace slipway::logging
