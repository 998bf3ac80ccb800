// SPDX-License-Identifier: Apache-2.0
#include "trust/base/time.h"

#include <cstdio>

namespace crivet::trust {
namespace {

// Reads exactly `count` decimal digits at the front of `text`; -1 where there are fewer.
int TakeDigits(std::string_view& text, int count) {
  int value = 0;
  if (text.size() < static_cast<std::size_t>(count)) return -1;
  for (int i = 0; i < count; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(count));
  return value;
}

bool Take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<TimePoint> ParseRfc3339(std::string_view text) {
  using namespace std::chrono;
  // The text itself is not repeated in the error: it comes from outside and may be anything.
  const auto malformed = [] { return Fail(Reason::kMalformed, "not an RFC 3339 time"); };

  const int y = TakeDigits(text, 4);
  if (y < 0 || !Take(text, '-')) return malformed();
  const int m = TakeDigits(text, 2);
  if (m < 0 || !Take(text, '-')) return malformed();
  const int d = TakeDigits(text, 2);
  if (d < 0 || !Take(text, 'T')) return malformed();
  const int hh = TakeDigits(text, 2);
  if (hh < 0 || hh > 23 || !Take(text, ':')) return malformed();
  const int mm = TakeDigits(text, 2);
  if (mm < 0 || mm > 59 || !Take(text, ':')) return malformed();
  const int ss = TakeDigits(text, 2);
  if (ss < 0 || ss > 59) return malformed();
  if (Take(text, '.')) {
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      text.remove_prefix(1);
      if (++digits > 9) return malformed();
    }
    if (digits == 0) return malformed();
  }
  minutes offset{0};
  if (!Take(text, 'Z')) {
    const bool east = Take(text, '+');
    if (!east && !Take(text, '-')) return malformed();
    const int oh = TakeDigits(text, 2);
    if (oh < 0 || oh > 23 || !Take(text, ':')) return malformed();
    const int om = TakeDigits(text, 2);
    if (om < 0 || om > 59) return malformed();
    offset = hours{oh} + minutes{om};
    if (!east) offset = -offset;
  }
  if (!text.empty()) return malformed();

  const year_month_day date{year{y}, month{static_cast<unsigned>(m)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok()) return malformed();
  return TimePoint{sys_days{date}} + hours{hh} + minutes{mm} + seconds{ss} - offset;
}

std::string FormatRfc3339(TimePoint time) {
  using namespace std::chrono;
  const auto days_part = floor<days>(time);
  const year_month_day date{days_part};
  const hh_mm_ss clock{time - days_part};
  char out[40];
  static_cast<void>(std::snprintf(
      out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count())));
  return out;
}

}  // namespace crivet::trust
