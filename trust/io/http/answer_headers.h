// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"

namespace crivet::trust {

/// AnswerHeaders is what an HTTP answer says of itself, as far as anybody here asks. Unverified
/// text from the wire.
struct AnswerHeaders {
  static constexpr std::size_t kMaxLinks = 8;

  std::optional<std::chrono::seconds> retry_after;
  std::vector<std::string> challenges;  ///< values of WWW-Authenticate, unread
  std::optional<TimePoint> date;
  std::string location;
  std::vector<std::string> links;  ///< values of Link, unread
  std::string media_type;          ///< Content-Type without its parameters
  std::string content_encoding;
  std::string content_digest;  ///< Docker-Content-Digest
  /// Content-Length; the largest number where it is beyond every number.
  std::optional<std::size_t> length;
};

/// ReadHeaderLine takes in one line; a line that is not known, or says nothing that can be read, is
/// left out. Pure.
void ReadHeaderLine(std::string_view line, AnswerHeaders& into);

}  // namespace crivet::trust
