// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/read_demand.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "trust/tuf/read_grace.h"
#include "trust/tuf/read_gun.h"
#include "trust/tuf/read_root_keys.h"
#include "trust/tuf1/tuf_demand.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr char kRootKey[] = "root";
constexpr char kRootFile[] = "root_file";
constexpr char kTarget[] = "target";
constexpr char kDigestTarget[] = "digest_target";
constexpr char kMaxDelegations[] = "max_delegations";
constexpr std::size_t kMostDelegations = 256;

TargetName Default(TargetName::Of of) {
  return TargetName::Parse(of == TargetName::Of::kTag ? "{name}:{tag}" : "{name}@{digest}", of)
      .value();
}

// Nullopt where the key is empty; the default where it is not there or wrong.
std::optional<TargetName> ReadName(KeyReader& keys, const std::string& key, TargetName::Of of) {
  const auto text = keys.String(key);
  if (!text) return Default(of);
  if (text->value.empty() && of == TargetName::Of::kDigest) return std::nullopt;
  auto name = TargetName::Parse(text->value, of);
  if (name) return *std::move(name);
  keys.Wrong(text->at, fmt::format("\"{}\" {}", key, name.error().detail));
  return Default(of);
}

std::vector<std::string> ReadRoles(KeyReader& keys, const std::string& key) {
  std::vector<std::string> names;
  const auto texts = keys.Strings(key);
  if (!texts) return names;
  for (const KeyReader::Text& text : *texts) {
    const bool delegated = !text.value.empty() && !IsTopLevel(text.value);
    const bool may_be = delegated || (key == "roles" && text.value == kTargets);
    if (!may_be) {
      keys.Wrong(text.at, fmt::format("\"{}\" must hold names of delegated roles{}", key,
                                      key == "roles" ? " or \"targets\"" : ""));
    } else if (std::find(names.begin(), names.end(), text.value) != names.end()) {
      keys.Wrong(text.at, fmt::format("\"{}\" names a role twice", key));
    } else {
      names.push_back(text.value);
    }
  }
  return names;
}

std::optional<Verified<Root>> ReadRootFile(KeyReader& root) {
  const auto file = root.ReadFile(kRootFile);
  if (!file) return std::nullopt;
  auto read = ReadFirstRoot(file->content, {});
  if (read) return *std::move(read);
  root.WrongFile(*file,
                 fmt::format("\"{}\": {} holds no root that verifies: {}. The oldest roots of some "
                             "repositories are in an older form (Sigstore's before "
                             "5.root.json): then take a later one",
                             kRootFile, file->path, read.error().detail));
  return std::nullopt;
}

RootPin ReadRoot(KeyReader& keys) {
  RootPin pin;
  if (!keys.Has(kRootKey)) {
    keys.Missing(
        kRootKey,
        "whom to believe: { root_file = \"FILE\" }, a root.json of the publisher, or { key_ids = "
        "[…] }; \"crivet pin IMAGE\" shows the first one that the server has");
  }
  const std::unique_ptr<KeyReader> root = keys.Table(kRootKey);
  if (!root) return pin;
  for (const char* other : {"cert_file", "ca_file"}) {
    if (!root->Has(other)) continue;
    root->Wrong(root->PlaceOf(other),
                fmt::format("\"{}\" is not for this kind: its keys have no certificates. "
                            "root_file or key_ids say whom to believe",
                            other));
    return pin;
  }
  if (root->Has(kRootFile)) pin.file = ReadRootFile(*root);
  for (const KeyId& id : ReadKeyIds(*root)) pin.key_ids.insert(id.bytes());
  pin.tofu = ReadTofu(*root);
  // What could not be read has its own error, so presence of the key counts here.
  const bool names_one =
      root->Has(kRootFile) || pin.tofu || (root->Has("key_ids") && !root->HasEmptyArray("key_ids"));
  if (!names_one) {
    keys.Wrong(root->place(),
               "\"root\" must name whom to believe: at least one of root_file, key_ids, or "
               "tofu = true");
  }
  root->Finish();
  return pin;
}

}  // namespace

const std::vector<std::string>& TufRuleKeys() {
  static const std::vector<std::string> keys = {kTarget,   kDigestTarget, "roles",
                                                "signers", "grace",       std::string(kGunKey)};
  return keys;
}

const std::vector<std::string>& TufTrustKeys() {
  static const std::vector<std::string> keys = {kRootKey, kMaxDelegations};
  return keys;
}

RuleDemand ReadTufDemand(KeyReader& keys) {
  const auto demand = std::make_shared<TufDemand>(*ReadName(keys, kTarget, TargetName::Of::kTag));
  demand->digest_target = ReadName(keys, kDigestTarget, TargetName::Of::kDigest);
  demand->roles = ReadRoles(keys, "roles");
  demand->signers = ReadRoles(keys, "signers");
  demand->grace = ReadGrace(keys);
  return {demand, ReadGun(keys)};
}

SharedDemand ReadTufTrust(KeyReader& keys) {
  const auto trust = std::make_shared<TufTrust>();
  const auto most = keys.Integer(kMaxDelegations, 1, kMostDelegations);
  if (most) trust->max_delegations = static_cast<std::size_t>(*most);
  trust->pin = ReadRoot(keys);
  return trust;
}

std::string WrongForImages(const Demand& demand, const std::vector<ImagePattern>& images) {
  const TufDemand& wanted = AsTuf(demand);
  if (wanted.trust == nullptr) return "its [trust.*] pins no root";
  const bool leaves_out = wanted.target.LeavesOutHost() ||
                          (wanted.digest_target && wanted.digest_target->LeavesOutHost());
  if (!leaves_out) return "";
  const auto host_of = [](const ImagePattern& pattern) {
    const auto& steps = pattern.steps();
    const bool literal = !steps.empty() && steps.front().kind == WildcardStep::Kind::kLiteral;
    return literal ? steps.front().literal : std::string();
  };
  for (const ImagePattern& pattern : images) {
    if (!host_of(pattern).empty() && host_of(pattern) == host_of(images.front())) continue;
    return "two images could have one target: a target without {name} or {host} is for patterns "
           "that name one and the same registry, and \"" +
           pattern.text() + "\" does not";
  }
  return images.empty() ? "two images could have one target: the default needs {name} or {host} in "
                          "\"target\" and \"digest_target\""
                        : "";
}

}  // namespace crivet::trust::tuf1
