// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/target_text.h"

namespace crivet::trust {

// There may be a million of them: what stands in every file is read in one pass, and only an entry
// with something unknown in it is looked at closely.
tl::expected<TargetText, EntryFault> ReadTarget(JsonValue entry) {
  const auto members = entry.AsObject();
  if (!members) return tl::unexpected(EntryFault::kNotAnObject);
  std::optional<JsonValue> hashes;
  std::optional<std::int64_t> length;
  bool plain = true;
  for (const JsonMember& member : *members) {
    if (member.name == "hashes") {
      hashes = member.value;
    } else if (member.name == "length") {
      length = member.value.AsInteger();
    } else if (member.name != "custom") {
      plain = false;
    }
  }
  if (!length || *length < 0) return tl::unexpected(EntryFault::kLength);
  const auto digests = hashes ? hashes->AsObject() : std::nullopt;
  if (!digests) return tl::unexpected(EntryFault::kHashes);
  TargetText text{*length, std::nullopt, std::nullopt};
  for (const JsonMember& digest : *digests) {
    const auto written = digest.value.AsString();
    if (!written) return tl::unexpected(EntryFault::kHashes);
    if (digest.name == "sha256") {
      text.sha256 = written;
    } else if (digest.name == "sha512") {
      text.sha512 = written;
    } else {
      plain = false;
    }
  }
  if (plain) return text;
  for (const auto& checked : {RefuseCaseVariants(entry, {"hashes", "length", "custom"}),
                              RefuseCaseVariants(*hashes, {"sha256", "sha512"})}) {
    if (!checked) return tl::unexpected(EntryFault::kTwoCases);
  }
  return text;
}

}  // namespace crivet::trust
