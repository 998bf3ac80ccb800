// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::trust {

/// AuthChallenge is one way a server offers to be asked again, out of a `WWW-Authenticate` header
/// (RFC 7235, trust/notary/FORMAT.md#tokens). Unverified text from the wire: whoever uses `realm`
/// has to check where it leads. The challenge's own `scope` is not kept: Notary names the wrong one
/// for `/v2/`, and a server has no say in what is asked for.
struct AuthChallenge {
  enum class Scheme : std::uint8_t { kBearer, kBasic } scheme = Scheme::kBearer;
  std::string realm;    ///< never empty for kBearer
  std::string service;  ///< empty where the server named none
  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

/// ParseChallenges reads the value of one `WWW-Authenticate` header, which may hold several
/// challenges. Scheme and parameter names are compared without case; values are tokens or quoted
/// strings with backslash escapes. Schemes other than Bearer and Basic, a Bearer without a realm,
/// and a challenge that names a parameter twice are left out. Where the text stops to be one, what
/// was complete before that is kept. Pure; costs no more than linear time, and texts beyond 8 KiB
/// give nothing.
std::vector<AuthChallenge> ParseChallenges(std::string_view header);

}  // namespace crivet::trust
