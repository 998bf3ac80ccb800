// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crivet::trust {

/// ReasonIn is the reason that the body of a refusal gives, Quoted: the code and message of a
/// registry's or a token server's JSON, the title of a page, or the first line of a text; empty
/// where there is none. A server may send back what it was sent, so where that held secrets only
/// one of the registries' own codes is taken. Pure.
enum class Sent : std::uint8_t { kNothingSecret, kSecrets };
std::string ReasonIn(std::string_view body, Sent sent);

}  // namespace crivet::trust
