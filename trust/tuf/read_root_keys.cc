// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/read_root_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace crivet::trust {
namespace {

// What is wrong with the text of a key ID; empty: nothing.
std::string WrongWithKeyId(const std::string& text) {
  if (KeyId::Parse(text)) return "";
  constexpr std::size_t kDigits = 64;
  const bool hex = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (text.starts_with("sha256:")) return "a key ID is written without \"sha256:\"";
  if (hex && text.size() == kDigits) return "a key ID is written in lower case";
  if (hex) {
    return fmt::format(
        "a key ID has 64 digits, and not {}: \"crivet pin IMAGE\" and \"notary key list\" print "
        "all of them",
        text.size());
  }
  return "a key ID is 64 lower-case hex digits, as \"crivet pin IMAGE\" prints it";
}

}  // namespace

std::vector<KeyId> ReadKeyIds(KeyReader& root) {
  std::vector<KeyId> ids;
  for (const KeyReader::Text& id : root.EachChecked("key_ids", WrongWithKeyId)) {
    ids.push_back(*KeyId::Parse(id.value));
  }
  return ids;
}

bool ReadTofu(KeyReader& root) {
  const bool tofu = root.Bool("tofu").value_or(false);
  if (tofu) {
    root.Warn(root.PlaceOf("tofu"),
              "tofu = true: the first root that this node meets is trusted, whoever made it");
  }
  return tofu;
}

}  // namespace crivet::trust
