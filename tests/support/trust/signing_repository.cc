// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/signing_repository.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/base/time.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;

void AppendString(const std::string& text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void AppendCanonicalJson(const Json& value, std::string& out) {
  if (value.is_string()) return AppendString(value.get_ref<const std::string&>(), out);
  if (!value.is_structured()) {
    out += value.dump();
    return;
  }
  out += value.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& [name, member] : value.items()) {  // objects are sorted by name
    if (!std::exchange(first, false)) out += ',';
    if (value.is_object()) {
      AppendString(name, out);
      out += ':';
    }
    AppendCanonicalJson(member, out);
  }
  out += value.is_object() ? '}' : ']';
}

std::string Base64Of(const Sha256& digest) { return ToBase64(digest); }

Json EntryOf(const std::string& bytes) {
  return {{"length", bytes.size()}, {"hashes", {{"sha256", Base64Of(Sha256Of(bytes))}}}};
}

std::string NamedByHash(const std::string& role, const std::string& bytes) {
  return role + "." + ToHex(Sha256Of(bytes)) + ".json";
}

std::string TypeOf(const std::string& role) {
  if (role == "root") return "Root";
  if (role == "snapshot") return "Snapshot";
  if (role == "timestamp") return "Timestamp";
  return "Targets";
}

Json KeyIdsOf(const std::vector<SigningKey>& keys) {
  Json ids = Json::array();
  for (const SigningKey& key : keys) ids.push_back(key.id());
  return ids;
}

void AddKeys(const std::vector<SigningKey>& keys, Json& table) {
  for (const SigningKey& key : keys) table[key.id()] = Json::parse(key.KeyJson());
}

Json EnvelopeOf(const Json& content, const std::vector<SigningKey>& signers) {
  const std::string message = CanonicalJson(content);
  Json signatures = Json::array();
  for (const SigningKey& key : signers) {
    signatures.push_back(Json::parse(key.SignatureJson(message)));
  }
  return {{"signed", content}, {"signatures", std::move(signatures)}};
}

std::string Encoded(const Json& content, const std::vector<SigningKey>& signers,
                    const Damage* damage) {
  Json damaged = content;
  if (damage && damage->content) damage->content(damaged);
  Json envelope = EnvelopeOf(damaged, damage && damage->signers ? *damage->signers : signers);
  if (damage && damage->envelope) damage->envelope(envelope);
  std::string bytes = envelope.dump();
  if (damage && damage->bytes) damage->bytes(bytes);
  return bytes;
}

std::string ParentOf(const std::string& role) { return role.substr(0, role.rfind('/')); }

}  // namespace

std::string CanonicalJson(const Json& value) {
  std::string out;
  AppendCanonicalJson(value, out);
  return out;
}

SigningKey RootKeyFor(const std::string& gun) {
  CertificateRequest request;
  request.common_names = {gun};
  return SigningKey::Ecdsa().SelfSigned(request);
}

Sha256Digest DigestOf(const std::string& text) { return Sha256Digest(Sha256Of(text)); }

SigningRepository::SigningRepository(const std::string& gun) : gun_(gun) {
  using std::chrono::hours;
  roles_["root"].keys = {RootKeyFor(gun)};
  roles_["targets"].keys = {SigningKey::Ecdsa()};
  roles_["snapshot"].keys = {SigningKey::Ecdsa()};
  roles_["timestamp"].keys = {SigningKey::Ed25519()};
  // Notary's lifetimes.
  roles_["root"].expires = kNow + hours{24 * 3650};
  roles_["targets"].expires = kNow + hours{24 * 1095};
  roles_["snapshot"].expires = kNow + hours{24 * 1095};
  roles_["timestamp"].expires = kNow + hours{24 * 14};
  for (auto& [name, role] : roles_) role.touched = true;
  Publish();
}

SigningRepository::Role& SigningRepository::At(const std::string& role) {
  const auto at = roles_.find(role);
  if (at == roles_.end()) throw std::logic_error("the repository has no role " + role);
  return at->second;
}

const SigningRepository::Role& SigningRepository::At(const std::string& role) const {
  return const_cast<SigningRepository*>(this)->At(role);
}

bool SigningRepository::IsTargets(const std::string& role) { return TypeOf(role) == "Targets"; }

void SigningRepository::Sign(const std::string& role, const std::string& tag,
                             const Sha256Digest& digest) {
  At(role).tags.insert_or_assign(tag, digest);
  Touch(role);
}

void SigningRepository::Withdraw(const std::string& role, const std::string& tag) {
  At(role).tags.erase(tag);
  Touch(role);
}

void SigningRepository::Delegate(const std::string& role, std::vector<SigningKey> keys,
                                 std::int64_t threshold, std::vector<std::string> paths) {
  Role& delegated = roles_[role];
  left_behind_.erase(role);
  delegated.keys = std::move(keys);
  delegated.threshold = threshold;
  delegated.paths = std::move(paths);
  delegated.signers.reset();
  if (delegated.version == 0) delegated.expires = At("targets").expires;
  Touch(ParentOf(role));
}

void SigningRepository::Undelegate(const std::string& role, Entry entry) {
  if (entry == Entry::kLeftBehind) left_behind_.insert(role);
  if (entry == Entry::kRemoved) roles_.erase(role);
  Touch(ParentOf(role));
}

void SigningRepository::SetKeys(const std::string& role, std::vector<SigningKey> keys,
                                std::int64_t threshold) {
  Role& changed = At(role);
  if (role == "root") former_root_keys_ = changed.keys;
  changed.keys = std::move(keys);
  changed.threshold = threshold;
  changed.signers.reset();
  Touch(role);
  Touch(role.starts_with("targets/") ? ParentOf(role) : "root");
}

void SigningRepository::SetSigners(const std::string& role, std::vector<SigningKey> signers) {
  At(role).signers = std::move(signers);
  Touch(role);
}

void SigningRepository::SetExpiry(const std::string& role, TimePoint expires) {
  At(role).expires = expires;
  Touch(role);
}

void SigningRepository::SetNextVersion(const std::string& role, std::int64_t version) {
  At(role).next_version = version;
  Touch(role);
}

void SigningRepository::Touch(const std::string& role) { At(role).touched = true; }

void SigningRepository::Publish(const std::map<std::string, Damage>& damages) {
  const auto damage_of = [&](const std::string& name) {
    const auto at = damages.find(name);
    return at == damages.end() ? nullptr : &at->second;
  };
  for (const auto& [name, damage] : damages) Touch(name);
  for (auto& [name, role] : roles_) {
    if (name == "snapshot" || name == "timestamp" || !role.touched) continue;
    PublishRole(name, damage_of(name));
    At("snapshot").touched = true;
  }
  if (At("snapshot").touched) {
    PublishRole("snapshot", damage_of("snapshot"));
    At("timestamp").touched = true;
  }
  if (At("timestamp").touched) PublishRole("timestamp", damage_of("timestamp"));
  former_root_keys_.clear();
}

void SigningRepository::PublishRole(const std::string& name, const Damage* damage) {
  Role& role = At(name);
  role.version = role.next_version.value_or(role.version + 1);
  role.next_version.reset();
  role.touched = false;
  role.content = ContentOf(name);
  role.bytes = Encoded(role.content, SignersOf(name), damage);
  files_[NamedByHash(name, role.bytes)] = role.bytes;
  files_[name + ".json"] = role.bytes;
  if (name == "root") files_[std::to_string(role.version) + ".root.json"] = role.bytes;
}

Json SigningRepository::ContentOf(const std::string& name) const {
  const Role& role = At(name);
  Json content = {
      {"_type", TypeOf(name)}, {"version", role.version}, {"expires", FormatRfc3339(role.expires)}};
  if (name == "root") {
    content["consistent_snapshot"] = false;
    content["keys"] = Json::object();
    for (const char* each : {"root", "targets", "snapshot", "timestamp"}) {
      AddKeys(At(each).keys, content["keys"]);
      content["roles"][each] = {{"keyids", KeyIdsOf(At(each).keys)},
                                {"threshold", At(each).threshold}};
    }
  } else if (name == "snapshot") {
    for (const auto& [each, listed] : roles_) {
      const bool is_listed = each == "root" || IsTargets(each);
      if (is_listed && listed.version > 0) content["meta"][each] = EntryOf(listed.bytes);
    }
  } else if (name == "timestamp") {
    content["meta"]["snapshot"] = EntryOf(At("snapshot").bytes);
  } else {
    content["targets"] = Json::object();
    for (const auto& [tag, digest] : role.tags) {
      content["targets"][tag] = {{"length", 1234},
                                 {"hashes", {{"sha256", Base64Of(digest.bytes())}}}};
    }
    content["delegations"] = {{"keys", Json::object()}, {"roles", Json::array()}};
    for (const auto& [each, delegated] : roles_) {
      if (!each.starts_with("targets/") || ParentOf(each) != name) continue;
      if (left_behind_.contains(each)) continue;
      AddKeys(delegated.keys, content["delegations"]["keys"]);
      content["delegations"]["roles"].push_back({{"name", each},
                                                 {"keyids", KeyIdsOf(delegated.keys)},
                                                 {"threshold", delegated.threshold},
                                                 {"paths", delegated.paths}});
    }
  }
  return content;
}

std::vector<SigningKey> SigningRepository::SignersOf(const std::string& name) const {
  const Role& role = At(name);
  std::vector<SigningKey> signers = role.signers.value_or(role.keys);
  if (name == "root" && !role.signers) {
    for (const SigningKey& former : former_root_keys_) {
      const bool signs_already =
          std::any_of(signers.begin(), signers.end(),
                      [&](const SigningKey& key) { return key.id() == former.id(); });
      if (!signs_already) signers.push_back(former);
    }
  }
  return signers;
}

const std::vector<SigningKey>& SigningRepository::keys(const std::string& role) const {
  return At(role).keys;
}
std::int64_t SigningRepository::version(const std::string& role) const { return At(role).version; }
const Json& SigningRepository::content(const std::string& role) const { return At(role).content; }
const std::string& SigningRepository::bytes(const std::string& role) const {
  return At(role).bytes;
}

std::string SigningRepository::FileName(const std::string& role) const {
  return role == "timestamp" ? "timestamp.json" : NamedByHash(role, At(role).bytes);
}

std::string SigningRepository::Damaged(const std::string& role, const Damage& damage) const {
  return Encoded(At(role).content, SignersOf(role), &damage);
}

std::string SigningRepository::Signed(const std::string& role, const Json& content) const {
  return Encoded(content, SignersOf(role), nullptr);
}

Fetched SigningRepository::Fetch(const MetadataRequest& request) {
  requests_.push_back(request.file);
  if (refuse_all_) return tl::unexpected(*refuse_all_);
  const auto override_at = overrides_.find(request.file);
  if (override_at != overrides_.end()) return override_at->second;
  const auto file = files_.find(request.file);
  if (file == files_.end()) return tl::unexpected(FetchFailure{});
  return file->second;
}

void SigningRepository::Serve(const std::string& file, std::string bytes) {
  overrides_.insert_or_assign(file, std::move(bytes));
}
void SigningRepository::Refuse(const std::string& file, FetchFailure failure) {
  overrides_.insert_or_assign(file, tl::unexpected(failure));
}
void SigningRepository::RefuseAll(FetchFailure failure) { refuse_all_ = failure; }
void SigningRepository::Recover() {
  overrides_.clear();
  refuse_all_.reset();
}

MetadataUpdate::Start SigningRepository::Start() const {
  RootPin pin;
  pin.key_ids = {At("root").keys.front().Parsed().canonical_id()};
  return {.id = NotaryCollection("https://notary.acme.example", gun_),
          .pins = {std::move(pin)},
          .roles = {RoleName::Parse("targets/releases").value(), RoleName::Targets()},
          .now = kNow};
}

UpdateOutcome RunRefresh(MetadataUpdate::Start start,
                         const std::function<Fetched(const MetadataRequest&)>& fetch) {
  MetadataUpdate update(std::move(start));
  while (const auto wanted = update.Wanted()) update.Supply(fetch(*wanted));
  RefreshOutcome outcome = update.Finish();
  if (!outcome) return tl::unexpected(std::move(outcome.error()));
  return Updated{RepositoryOf(outcome->set), std::move(outcome->files), outcome->changed};
}

UpdateOutcome RunRefresh(MetadataUpdate::Start start, SigningRepository& server) {
  return RunRefresh(std::move(start),
                    [&](const MetadataRequest& request) { return server.Fetch(request); });
}

std::string DetailOf(const std::optional<RefreshFailure>& failure) {
  return failure ? failure->at + ": " + failure->error.detail : std::string();
}

std::string DetailOf(const UpdateOutcome& outcome) {
  return outcome ? std::string() : DetailOf(std::optional<RefreshFailure>(outcome.error()));
}

void StoredFiles::Apply(const std::vector<StoredFile>& files) {
  for (const StoredFile& file : files) {
    if (file.bytes) files_[file.name] = *file.bytes;
    const auto at = files_.find(file.name);
    if (at == files_.end() || Sha256Of(at->second) != file.sha256) {
      throw std::logic_error("the store was not given " + file.name);
    }
  }
}

Fetched StoredFiles::Fetch(const MetadataRequest& request) const {
  // `role.json`, `role.<hash>.json`, `<version>.root.json`.
  std::string name = request.file.substr(0, request.file.size() - 5);
  if (request.sha256) name = name.substr(0, name.size() - 65);
  if (name != "root") {
    const auto file = files_.find(name);
    if (file != files_.end()) return file->second;
    return tl::unexpected(FetchFailure{});
  }
  std::int64_t newest = 0;
  for (const auto& [each, bytes] : files_) {
    if (each.ends_with(".root")) newest = std::max<std::int64_t>(newest, std::stoll(each));
  }
  const auto file = files_.find(std::to_string(newest) + ".root");
  if (file == files_.end()) return tl::unexpected(FetchFailure{});
  return file->second;
}

}  // namespace crivet::trust
