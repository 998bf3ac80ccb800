// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/trust/damage.h"
#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust/signing_key.h"
#include "trust/notary/metadata_update.h"

namespace crivet::trust {

/// SigningRepository is a publisher and a Notary server in memory: it signs with throw-away keys
/// and answers for its files by the server's names. It can make every mistake a publisher, a server
/// or an attacker with any of the keys can make.
///
///     SigningRepository server;                      // empty, edition 1 is published
///     server.Delegate("targets/releases", {SigningKey::Ecdsa()});
///     server.Sign("targets/releases", "1.0", digest);
///     server.Publish();                              // the next edition
///     auto outcome = RunRefresh(server.Start(), server);
///
/// Changes take effect with Publish, which signs what was changed at the next version, then
/// snapshot and timestamp. Files named by their hash and older roots stay available, as on the real
/// server. Canonical JSON, hashes and signatures are made here without the code under test. Copies
/// are independent: keep one to serve an older edition.
class SigningRepository {
 public:
  using Json = nlohmann::json;

  static constexpr TimePoint kNow{std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}};

  explicit SigningRepository(const std::string& gun = "docker.io/acme/web");

  // The publisher.

  /// Gives a tag a digest in `targets` or a delegation.
  void Sign(const std::string& role, const std::string& tag, const Sha256Digest& digest);
  void Withdraw(const std::string& role, const std::string& tag);
  /// Adds a delegation, or replaces what its parent says of it. The role itself is signed once it
  /// has a tag or is Touched, as after `docker trust signer add`.
  void Delegate(const std::string& role, std::vector<SigningKey> keys, std::int64_t threshold = 1,
                std::vector<std::string> paths = {""});
  /// Removes a delegation; `Entry` says whether its entry stays behind in the snapshot.
  enum class Entry { kRemoved, kLeftBehind };
  void Undelegate(const std::string& role, Entry entry = Entry::kRemoved);
  /// Changes the keys of a base role, so the root too. A new root is signed by the old root keys as
  /// well. The role itself is signed anew.
  void SetKeys(const std::string& role, std::vector<SigningKey> keys, std::int64_t threshold = 1);
  /// Which keys sign from now on, where that is not all of the role's.
  void SetSigners(const std::string& role, std::vector<SigningKey> signers);
  void SetExpiry(const std::string& role, TimePoint expires);
  /// The version that the next edition gives the role, instead of one more.
  void SetNextVersion(const std::string& role, std::int64_t version);
  /// Signs a role anew in the next edition, though nothing changed.
  void Touch(const std::string& role);
  /// Makes and serves the next edition. `damages` apply to this edition's files; hashes that others
  /// list of them are of the damaged bytes.
  void Publish(const std::map<std::string, Damage>& damages = {});

  // What it is made of.

  const std::string& gun() const { return gun_; }
  const std::vector<SigningKey>& keys(const std::string& role) const;
  std::int64_t version(const std::string& role) const;
  /// What is signed, and the bytes that are served for the newest edition.
  const Json& content(const std::string& role) const;
  const std::string& bytes(const std::string& role) const;
  /// The file of the newest edition under its name on the server.
  std::string FileName(const std::string& role) const;
  /// The newest edition's file with damage, at its version and not served: for Serve.
  std::string Damaged(const std::string& role, const Damage& damage) const;
  /// Signs any content for a role with the role's keys.
  std::string Signed(const std::string& role, const Json& content) const;

  // The server.

  Fetched Fetch(const MetadataRequest& request);
  /// Replaces the bytes under a name, whatever others say of its hash.
  void Serve(const std::string& file, std::string bytes);
  /// Answers for a name with a failure from now on.
  void Refuse(const std::string& file, FetchFailure failure);
  /// Every file.
  void RefuseAll(FetchFailure failure);
  /// Takes back Serve, Refuse and RefuseAll.
  void Recover();
  /// What was asked for since the last ForgetRequests.
  const std::vector<std::string>& requests() const { return requests_; }
  void ForgetRequests() { requests_.clear(); }

  /// A first contact pinned to the first root key, reading `targets/releases` and `targets`.
  MetadataUpdate::Start Start() const;

 private:
  struct Role {
    std::vector<SigningKey> keys;
    std::int64_t threshold = 1;
    std::vector<std::string> paths = {""};
    std::optional<std::vector<SigningKey>> signers;
    TimePoint expires;
    std::int64_t version = 0;
    std::optional<std::int64_t> next_version;
    std::map<std::string, Sha256Digest> tags;
    bool touched = false;
    /// Of the newest edition; empty before the first.
    Json content;
    std::string bytes;
  };

  Role& At(const std::string& role);
  const Role& At(const std::string& role) const;
  static bool IsTargets(const std::string& role);
  void PublishRole(const std::string& name, const Damage* damage);
  Json ContentOf(const std::string& name) const;
  std::vector<SigningKey> SignersOf(const std::string& name) const;

  std::string gun_;
  std::map<std::string, Role> roles_;
  /// Root keys that the next root is signed by beside its own.
  std::vector<SigningKey> former_root_keys_;
  std::set<std::string> left_behind_;
  std::map<std::string, std::string> files_;
  std::map<std::string, Fetched> overrides_;
  std::optional<FetchFailure> refuse_all_;
  std::vector<std::string> requests_;
};

/// Canonical JSON by the rules of trust/notary/FORMAT.md#canonical-json, made without the code
/// under test.
std::string CanonicalJson(const nlohmann::json& value);

/// The certificate of a root key that fits the GUN.
SigningKey RootKeyFor(const std::string& gun);

/// A digest that is made of a text: different texts, different digests.
Sha256Digest DigestOf(const std::string& text);

/// Drives a refresh to its end.
/// A refresh that ended, with the set as what it is.
struct Updated {
  std::shared_ptr<const Repository> repository;
  std::vector<StoredFile> files;
  bool changed = false;
};
using UpdateOutcome = tl::expected<Updated, RefreshFailure>;

/// The links of anchors that a failed refresh brought.
inline const std::vector<RootLink>& ChainOf(const NewerAnchors& newer) {
  return static_cast<const RootChain&>(*newer.anchors).links;
}
inline std::shared_ptr<const Repository> RepositoryOf(
    const std::shared_ptr<const TrustedSet>& set) {
  return std::static_pointer_cast<const Repository>(set);
}

UpdateOutcome RunRefresh(MetadataUpdate::Start start,
                         const std::function<Fetched(const MetadataRequest&)>& fetch);
UpdateOutcome RunRefresh(MetadataUpdate::Start start, SigningRepository& server);

/// What a refresh failed with, for a test's message; empty where it did not.
std::string DetailOf(const std::optional<RefreshFailure>& failure);
std::string DetailOf(const UpdateOutcome& outcome);

/// StoredFiles is what a store keeps: the files of the last commit, by name. Answers as a folder
/// would for Source::kStore.
class StoredFiles {
 public:
  /// Takes over a commit, or the roots of a refresh that failed.
  void Apply(const std::vector<StoredFile>& files);
  Fetched Fetch(const MetadataRequest& request) const;
  std::map<std::string, std::string>& files() { return files_; }

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace crivet::trust
