// SPDX-License-Identifier: Apache-2.0

// A WWW-Authenticate header: what is found is complete and harmless, and written out again it means
// the same.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/require.h"
#include "trust/io/http/bearer_challenge.h"
#include "trust/io/http/http_url.h"

using namespace crivet::trust;

namespace {

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool HasControl(const std::string& text) {
  for (const char c : text) {
    if ((c >= 0 && c < 0x20 && c != '\t') || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  for (const AuthChallenge& challenge : ParseChallenges(header)) {
    const bool bearer = challenge.scheme == AuthChallenge::Scheme::kBearer;
    Require(!bearer || !challenge.realm.empty(), "a Bearer challenge has a realm");
    Require(!HasControl(challenge.realm) && !HasControl(challenge.service),
            "nothing found could end a line");
    std::string again = bearer ? "Bearer " : "Basic ";
    again += "realm=" + Quoted(challenge.realm) + ",service=" + Quoted(challenge.service);
    if (again.size() <= 8 * 1024) {
      Require(ParseChallenges(again) == std::vector{challenge}, "written out it means the same");
    }
    if (const auto url = HttpUrl::Parse(challenge.realm)) {
      Require(!url->host.empty() && url->host.find_first_of("/@# ") == std::string::npos,
              "a host is a host");
      const auto same = HttpUrl::Parse(url->text);
      Require(same && same->host == url->host && same->port == url->port,
              "a normalised URL leads to the same host");
    }
  }
  return 0;
}
