// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/read_demand.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "trust/notary/notary_demand.h"
#include "trust/tuf/read_grace.h"
#include "trust/tuf/read_gun.h"

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

void ReadCertificates(KeyReader& keys, const std::string& key, CertificateSet& out) {
  const auto file = keys.ReadFile(key);
  if (!file) return;
  if (auto certificates = CertificateSet::Parse(file->content)) {
    out = *std::move(certificates);
  } else {
    keys.Wrong(file->at, fmt::format("\"{}\": {} holds no certificate: {}", key, file->path,
                                     certificates.error().detail));
  }
}

void ReadKeyIds(KeyReader& keys, std::vector<KeyId>& out) {
  for (const KeyReader::Text& id : keys.EachChecked("key_ids", WrongWithKeyId)) {
    out.push_back(*KeyId::Parse(id.value));
  }
}

RootPin ReadRoot(KeyReader& keys) {
  RootPin pin;
  if (!keys.Has("root") && keys.verifies()) {
    keys.Missing("root", "whom to believe; \"crivet pin IMAGE\" prints the line");
  }
  const std::unique_ptr<KeyReader> root = keys.Table("root");
  if (!root) return pin;
  ReadKeyIds(*root, pin.key_ids);
  ReadCertificates(*root, "cert_file", pin.certificates);
  ReadCertificates(*root, "ca_file", pin.authorities);
  if (auto file = root->ReadFile("root_file")) pin.root_file = std::move(file->content);
  pin.tofu = root->Bool("tofu").value_or(false);
  if (pin.tofu) {
    root->Warn(root->PlaceOf("tofu"),
               "tofu = true: the first root that this node meets is trusted, whoever made it");
  }
  // What could not be read has its own error, so presence of the key counts here.
  const bool names_one = (root->Has("key_ids") && !root->HasEmptyArray("key_ids")) ||
                         root->Has("cert_file") || root->Has("ca_file") || root->Has("root_file") ||
                         pin.tofu;
  if (!names_one) {
    keys.Wrong(root->place(),
               "\"root\" must name whom to believe: at least one of key_ids, cert_file, ca_file, "
               "root_file, or tofu = true");
  }
  root->Finish();
  return pin;
}

/// Names of roles that list tags. `prefix` is put before names that are no full role name.
std::vector<RoleName> ReadRoles(KeyReader& keys, const std::string& key, std::string_view prefix) {
  std::vector<RoleName> names;
  const auto texts = keys.Strings(key);
  if (!texts) return names;
  for (const KeyReader::Text& text : *texts) {
    const bool whole = prefix.empty() || text.value.starts_with("targets/");
    const auto name = RoleName::Parse(whole ? text.value : std::string(prefix) + text.value);
    if (!name || !(name->IsDelegation() || *name == RoleName::Targets())) {
      keys.Wrong(text.at, fmt::format("\"{}\" must hold {}", key,
                                      prefix.empty() ? "\"targets\" or roles below it, such as "
                                                       "\"targets/releases\""
                                                     : "names of signers, such as \"alice\""));
    } else if (std::find(names.begin(), names.end(), *name) != names.end()) {
      keys.Wrong(text.at, fmt::format("\"{}\" names a role twice", key));
    } else {
      names.push_back(*name);
    }
  }
  return names;
}

}  // namespace

const std::vector<std::string>& NotaryRuleKeys() {
  static const std::vector<std::string> keys = {"root", "roles", "signers", "grace",
                                                std::string(kGunKey)};
  return keys;
}

RuleDemand ReadNotaryDemand(KeyReader& keys) {
  const auto demand = std::make_shared<NotaryDemand>();
  demand->root = ReadRoot(keys);
  demand->roles = ReadRoles(keys, "roles", "");
  if (keys.HasEmptyArray("roles")) {
    keys.Wrong(keys.PlaceOf("roles"), "\"roles\" must not be empty");
  } else if (!keys.Has("roles")) {
    demand->roles = {*RoleName::Parse("targets/releases"), RoleName::Targets()};
  }
  demand->signers = ReadRoles(keys, "signers", "targets/");
  demand->grace = ReadGrace(keys);
  return {demand, ReadGun(keys)};
}

}  // namespace crivet::trust
