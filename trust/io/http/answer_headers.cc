// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/answer_headers.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <limits>

namespace crivet::trust {
namespace {

constexpr std::chrono::hours kLongestPause{24};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Also where it is larger than any integer (curl would ignore it then).
std::optional<std::size_t> LengthOf(std::string_view digits) {
  std::size_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) return std::numeric_limits<std::size_t>::max();
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

// A Retry-After in seconds; one that is a date is left out.
std::optional<std::chrono::seconds> PauseOf(std::string_view digits) {
  std::int64_t seconds = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, seconds);
  if (parsed.ec != std::errc() || parsed.ptr != end || seconds < 0) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), std::chrono::seconds(kLongestPause));
}

std::optional<TimePoint> DateOf(std::string_view value) {
  const std::time_t seconds = curl_getdate(std::string(value).c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return TimePoint(std::chrono::seconds(seconds));
}

}  // namespace

void ReadHeaderLine(std::string_view line, AnswerHeaders& into) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), Lower);
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (name == "www-authenticate") {
    into.challenges.emplace_back(value);
  } else if (name == "content-length") {
    if (const auto length = LengthOf(value)) into.length = std::max(into.length, length);
  } else if (name == "retry-after") {
    into.retry_after = PauseOf(value);
  } else if (name == "date") {
    if (const auto date = DateOf(value)) into.date = date;
  } else if (name == "location") {
    into.location = value;
  } else if (name == "link") {
    if (into.links.size() < AnswerHeaders::kMaxLinks) into.links.emplace_back(value);
  } else if (name == "content-type") {
    into.media_type = Trimmed(value.substr(0, value.find(';')));
  } else if (name == "content-encoding") {
    into.content_encoding = value;
  } else if (name == "docker-content-digest") {
    into.content_digest = value;
  }
}

}  // namespace crivet::trust
