// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/json_member.h"

#include <string>

namespace crivet::trust {

tl::unexpected<Error> MalformedMember(std::string_view member, std::string_view what) {
  return Fail(Reason::kMalformed, std::string(member).append(" ").append(what));
}

Result<JsonValue> ReadMember(JsonValue object, std::string_view name, JsonType type) {
  const auto member = object.Find(name);
  if (!member) return MalformedMember(name, "is missing");
  if (member->type() != type) return MalformedMember(name, "has the wrong type");
  return *member;
}

Result<std::int64_t> ReadInteger(JsonValue object, std::string_view name) {
  return ReadMember(object, name, JsonType::kInteger).map([](JsonValue v) {
    return *v.AsInteger();
  });
}

Result<std::string_view> ReadString(JsonValue object, std::string_view name) {
  return ReadMember(object, name, JsonType::kString).map([](JsonValue v) { return *v.AsString(); });
}

}  // namespace crivet::trust
