// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/trusted_set.h"
#include "trust/signed/public_key.h"
#include "trust/tuf/entry_fault.h"
#include "trust/tuf/role_name.h"

namespace crivet::trust {

struct AuthorizedKeys;
struct NotaryDemand;
struct PinMatch;
struct RepositoryParts;
struct RootLink;
struct RootPin;
class Root;
class Snapshot;
class Targets;
class Timestamp;

/// Repository is what is trusted of one collection: a chain of roots and the last complete set of
/// roles, all of it verified together. Since then it may have expired, or a newer root may have
/// taken away keys that it stands on: CheckFresh tells, and Current allows nothing by it before
/// CheckFresh was asked. Immutable; safe to share between threads.
class Repository final : public TrustedSet {
 public:
  /// For MetadataUpdate alone.
  explicit Repository(RepositoryParts parts);
  ~Repository() override;

  const CollectionId& id() const override;
  const std::vector<RootLink>& chain() const;  ///< oldest first, never empty
  const Root& root() const;                    ///< the newest
  const Timestamp& timestamp() const;
  const Snapshot& snapshot() const;

  /// The role's verified metadata; null where it has none: no verified parent delegates it, or it
  /// is delegated and nothing is signed by it yet, or it was not read.
  const Targets* Find(const RoleName& role) const;

  /// Whether the paths of the delegations from `targets` down to the role let it list `tag`. Always
  /// for `targets`; never for a role that was not read.
  bool MayList(const RoleName& role, std::string_view tag) const;

  /// The digest that a role gives a tag: what its metadata lists, where it may list it.
  std::optional<Sha256Digest> Lookup(const RoleName& role, std::string_view tag) const;

  /// What is wrong with the entry that a role gives a tag which it may list; nullopt where nothing
  /// is, or there is none.
  std::optional<EntryFault> FaultOf(const RoleName& role, std::string_view tag) const;

  /// Whether a role says anything of a tag that it may list, usable or not.
  bool Lists(const RoleName& role, std::string_view tag) const;

  /// Keys and threshold that the verified parent gives a role (the newest root for the four, else
  /// its delegating role); null where nobody gives it any, or where the delegating role's own
  /// signers are no longer enough under the newest root.
  const AuthorizedKeys* KeysOf(const RoleName& role) const;

  /// Who signed the loaded metadata of a role, out of the keys that it still has; empty where none
  /// is loaded.
  std::set<KeyId> SignersOf(const RoleName& role) const;

  Floors floors() const override;

  TimePoint verified_at() const override;
  std::shared_ptr<const Anchors> anchors() const override;

  /// Where in the chain one of the pin's members matches; nullopt where none does. `now` is for
  /// certificate authorities. A tofu pin matches the oldest link. Quick for the pins that the
  /// refresh was given; others are looked up anew.
  std::optional<PinMatch> Match(const RootPin& pin, TimePoint now) const;

  /// Which roles were read when the set was committed.
  const std::set<RoleName>& roles_read() const;

  /// kExpired with the role and its time where the newest root (its signing certificates too),
  /// timestamp, snapshot, targets or one of `roles` has run out. `grace` extends timestamp and
  /// snapshot only. kNoTrustData where the newest root no longer covers the set: a refresh verified
  /// that root and then failed (trust/RULES.md#a-newer-root-acts-at-once).
  Result<void> CheckFresh(const std::vector<RoleName>& roles, TimePoint now,
                          std::chrono::seconds grace) const;

  /// The earliest expiry of the set over `roles`, without grace.
  TimePoint ExpiresWith(const std::vector<RoleName>& roles) const;

  /// The key of the newest root to pin, by the ID that is the same in every repository; nullopt
  /// where none of its signers is a key of it.
  std::optional<std::string> PinInstead() const;

  std::size_t resident_bytes() const override;

  // What it says of names (current_digest.cc, standing.cc) and of itself (explanation.cc). Every
  // demand is a NotaryDemand.
  Judgement Current(const Asked& asked) const override;
  Standing StandingOf(const VerifiedRecord& record, const Demand& demand,
                      TimePoint now) const override;
  Records RecordsAfter(Records records) const override;
  std::optional<TimePoint> Expires(const Demands& demands) const override;
  SetStatus Status(const Demands& demands, TimePoint now) const override;
  SetExplanation Explain(const ImageReference& reference, const Demand& demand,
                         TimePoint now) const override;

  /// One role as evidence: with the signers that still hold keys of it. Never null.
  std::shared_ptr<const SignedPart> PartOf(const RoleName& role) const;

  /// What MetadataUpdate reuses of it.
  const RepositoryParts& parts() const { return *parts_; }

 private:
  struct Derived;
  class PartsAsEvidence;
  std::unique_ptr<const RepositoryParts> parts_;
  std::unique_ptr<const Derived> derived_;
  std::unique_ptr<PartsAsEvidence> evidence_;  ///< thread-safe
};

}  // namespace crivet::trust
