// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trust/base/result.h"

namespace crivet::trust {

/// HttpUrl is an absolute http or https URL, read by the same parser that connects, so that what
/// was checked and what is asked cannot differ. No user part and no fragment.
struct HttpUrl {
  std::string text;  ///< normalised: lower-case scheme and host
  bool https = false;
  std::string host;  ///< lower-case letters, digits, `-._`; or an IPv6 address in brackets
  std::uint16_t port = 0;

  /// Parse is kMalformed for every other text.
  static Result<HttpUrl> Parse(std::string_view text);

  /// Resolve is the address that a Location or a Link on this one leads to (RFC 3986 5).
  Result<HttpUrl> Resolve(std::string_view reference) const;

  /// As people write it: without the port where that is the scheme's own.
  std::string HostAndPort() const;

  /// `localhost`, 127.0.0.0/8 or [::1]: where plain http cannot be listened to from outside.
  bool IsLoopback() const;
};

}  // namespace crivet::trust
