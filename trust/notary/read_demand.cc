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
#include "trust/tuf/read_root_keys.h"

namespace crivet::trust {
namespace {

void ReadCertificates(KeyReader& keys, const std::string& key, CertificateSet& out) {
  const auto file = keys.ReadFile(key);
  if (!file) return;
  if (auto certificates = CertificateSet::Parse(file->content)) {
    out = *std::move(certificates);
  } else {
    keys.WrongFile(*file, fmt::format("\"{}\": {} holds no certificate: {}", key, file->path,
                                      certificates.error().detail));
  }
}

RootPin ReadRoot(KeyReader& keys) {
  RootPin pin;
  if (!keys.Has("root") && keys.verifies()) {
    keys.Missing("root", "whom to believe; \"crivet pin IMAGE\" prints the line");
  }
  const std::unique_ptr<KeyReader> root = keys.Table("root");
  if (!root) return pin;
  pin.key_ids = ReadKeyIds(*root);
  ReadCertificates(*root, "cert_file", pin.certificates);
  ReadCertificates(*root, "ca_file", pin.authorities);
  if (auto file = root->ReadFile("root_file")) pin.root_file = std::move(file->content);
  pin.tofu = ReadTofu(*root);
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
