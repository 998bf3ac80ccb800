// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/role_name.h"

#include <algorithm>

namespace crivet::trust {
namespace {

constexpr std::string_view kDelegationPrefix = "targets/";
constexpr std::size_t kMaxSize = 255;

bool IsPartOfName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Parts between slashes, none of them empty.
bool IsPath(std::string_view text) {
  return !text.ends_with('/') && !text.starts_with('/') &&
         text.find("//") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c == '/' || IsPartOfName(c); });
}

}  // namespace

Result<RoleName> RoleName::Parse(std::string_view text) {
  if (text == "root" || text == "targets" || text == "snapshot" || text == "timestamp") {
    return RoleName(text);
  }
  if (text.size() > kMaxSize || !text.starts_with(kDelegationPrefix) || !IsPath(text)) {
    return Fail(Reason::kMalformed, "not the name of a role");
  }
  return RoleName(text);
}

bool RoleName::IsDelegation() const { return text_.starts_with(kDelegationPrefix); }

std::optional<RoleName> RoleName::parent() const {
  if (!IsDelegation()) return std::nullopt;
  return RoleName(std::string_view(text_).substr(0, text_.rfind('/')));
}

}  // namespace crivet::trust
