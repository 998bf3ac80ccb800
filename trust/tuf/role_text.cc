// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/role_text.h"

#include "trust/signed/json_member.h"

namespace crivet::trust {

Result<RoleText> ReadRoleText(JsonValue role, std::size_t max_keys) {
  const auto key_ids = ReadMember(role, "keyids", JsonType::kArray);
  if (!key_ids) return tl::unexpected(key_ids.error());
  const auto threshold = ReadInteger(role, "threshold");
  if (!threshold) return tl::unexpected(threshold.error());
  // CVE-2026-23992
  if (*threshold < 1) return Fail(Reason::kMalformed, "threshold is below 1");
  const auto exact = RefuseCaseVariants(role, {"keyids", "threshold"});
  if (!exact) return tl::unexpected(exact.error());
  const auto elements = key_ids->AsArray();
  if (elements->size() > max_keys) return Fail(Reason::kMalformed, "keyids holds too many");
  RoleText text;
  text.threshold = static_cast<std::size_t>(*threshold);
  text.key_ids.reserve(elements->size());
  for (const JsonValue element : *elements) {
    const auto id = element.AsString();
    if (!id) return Fail(Reason::kMalformed, "keyids holds something that is not a string");
    text.key_ids.push_back(*id);
  }
  return text;
}

}  // namespace crivet::trust
