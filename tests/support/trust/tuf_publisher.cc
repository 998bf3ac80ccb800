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

// Of all escapes the canonical form has those of quote and backslash alone; members are sorted.
std::string CanonicalOf(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::strict);
  std::string canonical;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && text[i + 1] == 'n') {
      canonical += '\n';
      ++i;
      continue;
    }
    if (escape && text[i + 1] == 'u') {
      canonical += static_cast<char>(std::stoi(text.substr(i + 2, 4), nullptr, 16));
      i += 5;
      continue;
    }
    canonical += text[i];
    if (escape) canonical += text[++i];
  }
  return canonical;
}

std::string PemOf(const SigningKey& key) {
  constexpr std::size_t kLine = 64;
  const std::string base64 = key.base64_public();
  std::string pem = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t i = 0; i < base64.size(); i += kLine) pem += base64.substr(i, kLine) + "\n";
  return pem + "-----END PUBLIC KEY-----\n";
}

// A positive number in DER.
std::string DerOf(std::string_view number) {
  while (number.size() > 1 && number.front() == '\0') number.remove_prefix(1);
  const bool negative = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
  const std::string value = (negative ? std::string(1, '\0') : "") + std::string(number);
  return std::string("\x02") + static_cast<char>(value.size()) + value;
}

// As TUF 1.0 writes them: of a curve in DER, where SigningKey has r and s side by side.
std::string SignatureOf(const SigningKey& key, std::string_view message) {
  const std::string raw = key.Sign(message);
  if (key.method() != "ecdsa") return raw;
  const std::string_view both = raw;
  const std::string numbers =
      DerOf(both.substr(0, both.size() / 2)) + DerOf(both.substr(both.size() / 2));
  return std::string("\x30") + static_cast<char>(numbers.size()) + numbers;
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
  const std::string method = key.method();
  if (method == "eddsa") {
    return {{"keytype", "ed25519"},
            {"scheme", "ed25519"},
            {"keyval", {{"public", ToHex(AsBytes(key.public_bytes()))}}}};
  }
  const bool rsa = method == "rsapss";
  return {{"keytype", rsa ? "rsa" : "ecdsa"},
          {"scheme", rsa ? "rsassa-pss-sha256" : "ecdsa-sha2-nistp256"},
          {"keyval", {{"public", PemOf(key)}}}};
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
        {{"keyid", IdOf(key)}, {"sig", ToHex(AsBytes(SignatureOf(key, CanonicalOf(content))))}});
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
