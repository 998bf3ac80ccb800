// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/tuf_publisher.h"

#include <algorithm>

#include "trust/base/bytes.h"
#include "trust/base/percent_encoding.h"

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;

bool IsTopLevel(const std::string& role) {
  return role == "root" || role == "timestamp" || role == "snapshot" || role == "targets";
}

// Names that the tests use need no other escapes than JSON's own; members are sorted.
std::string CanonicalOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::strict);
}

Json Listed(std::int64_t version) { return {{"version", version}}; }

}  // namespace

TufPublisher::TufPublisher() {
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) roles_[role];
  root_keys_before_ = roles_["root"].keys;
  Publish({"root"});
  PublishEdition();
}

void TufPublisher::Sign(const std::string& role, const std::string& name,
                        const std::string& content) {
  roles_[role].targets[name] = {{"length", content.size()},
                                {"hashes", {{"sha256", ToHex(Sha256Of(content))}}}};
}

void TufPublisher::Delegate(const std::string& from, const std::string& to,
                            std::vector<std::string> paths, bool terminating) {
  roles_[to];
  Json& delegations = roles_[from].delegations;
  if (delegations.is_null()) delegations = {{"roles", Json::array()}};
  delegations["roles"].push_back(
      {{"name", to}, {"paths", std::move(paths)}, {"terminating", terminating}});
}

void TufPublisher::DelegateBins(const std::string& from, unsigned bit_length,
                                const std::string& prefix) {
  roles_[from].delegations = {
      {"succinct_roles", {{"bit_length", bit_length}, {"name_prefix", prefix}}}};
}

Json TufPublisher::KeyJson(const SigningKey& key) {
  return {{"keytype", "ed25519"},
          {"scheme", "ed25519"},
          {"keyval", {{"public", ToHex(AsBytes(key.public_bytes()))}}}};
}

std::string TufPublisher::IdOf(const SigningKey& key) {
  return ToHex(Sha256Of(CanonicalOf(KeyJson(key))));
}

Json TufPublisher::RoleJson(const std::string& role) const {
  const Role& known = roles_.at(role);
  Json ids = Json::array();
  for (const SigningKey& key : known.keys) ids.push_back(IdOf(key));
  return {{"keyids", ids}, {"threshold", known.threshold}};
}

Json TufPublisher::Entry(const std::string& role) const {
  const auto lie = listed.find(role);
  if (lie != listed.end()) return lie->second;
  Json entry = Listed(roles_.at(role).version);
  if (!lists_hashes) return entry;
  const std::string& file = files.at(NameOf(role));
  entry["length"] = file.size();
  entry["hashes"] = {{"sha256", ToHex(Sha256Of(file))}};
  return entry;
}

Json TufPublisher::Content(const std::string& name) const {
  const Role& role = roles_.at(name);
  Json content = {{"_type", IsTopLevel(name) ? name : "targets"},
                  {"spec_version", "1.0.34"},
                  {"version", role.version},
                  {"expires", role.expires}};
  if (name == "root") {
    content["consistent_snapshot"] = consistent;
    for (const char* top : {"root", "timestamp", "snapshot", "targets"}) {
      content["roles"][top] = RoleJson(top);
      for (const SigningKey& key : roles_.at(top).keys) content["keys"][IdOf(key)] = KeyJson(key);
    }
  } else if (name == "timestamp") {
    content["meta"]["snapshot.json"] = Entry("snapshot");
  } else if (name == "snapshot") {
    content["meta"] = Json::object();
    for (const auto& [other, unused] : roles_) {
      const bool targets = !IsTopLevel(other) || other == "targets";
      if (targets && roles_.at(other).version > 0 && !unlisted.contains(other)) {
        content["meta"][other + ".json"] = Entry(other);
      }
    }
  } else {
    content["targets"] = role.targets;
    if (!role.delegations.is_null()) {
      Json delegations = role.delegations;
      Json& keys = delegations["keys"] = Json::object();
      const auto authorize = [&](Json& to, const std::string& of) {
        if (to.contains("keyids")) return;
        to.update(RoleJson(of));
        for (const SigningKey& key : roles_.at(of).keys) keys[IdOf(key)] = KeyJson(key);
      };
      if (delegations.contains("succinct_roles")) {
        Json& bins = delegations["succinct_roles"];
        authorize(bins, name);
      } else {
        for (Json& to : delegations["roles"]) authorize(to, to["name"]);
      }
      if (role.delegations.contains("keys")) keys.update(role.delegations["keys"]);
      content["delegations"] = std::move(delegations);
    }
  }
  content.update(role.also);
  return content;
}

std::string TufPublisher::Signed(const Json& content, const std::vector<SigningKey>& keys) {
  Json signatures = Json::array();
  std::set<std::string> done;
  for (const SigningKey& key : keys) {
    if (!done.insert(IdOf(key)).second) continue;
    signatures.push_back(
        {{"keyid", IdOf(key)}, {"sig", ToHex(AsBytes(key.Sign(CanonicalOf(content))))}});
  }
  return Json{{"signed", content}, {"signatures", signatures}}.dump(1);
}

std::string TufPublisher::NameOf(const std::string& role) const {
  const bool versioned = role == "root" || (consistent && role != "timestamp");
  return (versioned ? std::to_string(roles_.at(role).version) + "." : "") + PercentEncoded(role) +
         ".json";
}

void TufPublisher::Publish(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Role& role = roles_[name];
    ++role.version;
    std::vector<SigningKey> signers = role.signers.value_or(role.keys);
    if (name == "root" && !role.signers) {
      signers.insert(signers.end(), root_keys_before_.begin(), root_keys_before_.end());
    }
    if (name == "root") root_keys_before_ = role.keys;
    files[NameOf(name)] = Signed(Content(name), signers);
  }
}

void TufPublisher::PublishEdition(const std::vector<std::string>& targets_roles) {
  Publish(targets_roles);
  Publish({"snapshot"});
  Publish({"timestamp"});
}

Fetched TufPublisher::Serve(const std::string& file, std::size_t max_bytes) {
  asked.push_back(file);
  if (const auto failure = failures.find(file); failure != failures.end()) {
    return tl::unexpected(failure->second);
  }
  const auto found = files.find(file);
  if (found == files.end()) return tl::unexpected(FetchFailure{});
  if (found->second.size() > max_bytes) {
    return tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge, {}});
  }
  return found->second;
}

}  // namespace crivet::trust
