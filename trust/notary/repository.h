// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

struct AuthorizedKeys;
struct RootPin;
class Root;
class Timestamp;
class Snapshot;
class Targets;  // the four: metadata.h

/// Floor is the newest version of a role that this node has verified, with what it takes to tell
/// whether it still binds: what was signed, and who did (trust/RULES.md#rollback-floors).
struct Floor {
  std::int64_t version = 0;
  Sha256 signed_sha256{};
  std::set<KeyId> signers;
  friend bool operator==(const Floor&, const Floor&) = default;
};

/// Floors of one repository by role name, root included. An entry also says that this node has seen
/// the role listed, so that it may not vanish in silence.
using Floors = std::map<RoleName, Floor>;

/// RootLink is one verified root of a chain: itself signed at its threshold, and by its
/// predecessor's.
struct RootLink {
  std::shared_ptr<const Root> root;
  /// Of the file as it was served.
  Sha256 sha256{};
  /// Of what was signed: the same root in another layout (a `root_file`) has the same.
  Sha256 signed_sha256{};
  /// Keys of its own root role whose signatures verified: only these can match a pin.
  std::set<KeyId> signers;
};

/// PinMatch is how a pin anchors a chain.
struct PinMatch {
  /// Index in the chain of the first link that matches.
  std::size_t link = 0;
  /// Whether the newest root matches by itself; where not, the pin wants replacing.
  bool newest = false;
};

/// Repository is what is trusted of one collection: a chain of roots and the last complete set of
/// roles, all of it verified together. Since then it may have expired, or a newer root may have
/// taken away keys that it stands on: CheckFresh tells, and nothing may be allowed by it before
/// CheckFresh was asked. Immutable; safe to share between threads.
class Repository {
 public:
  struct Parts;  // made by Refresh alone
  explicit Repository(Parts parts);
  ~Repository();
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  const RepositoryId& id() const;
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

  /// Keys and threshold that the verified parent gives a role (the newest root for the four, else
  /// its delegating role); null where nobody gives it any, or where the delegating role's own
  /// signers are no longer enough under the newest root.
  const AuthorizedKeys* KeysOf(const RoleName& role) const;

  /// Who signed the loaded metadata of a role, out of the keys that it still has; empty where none
  /// is loaded.
  std::set<KeyId> SignersOf(const RoleName& role) const;

  const Floors& floors() const;

  /// When the server last confirmed this set.
  TimePoint verified_at() const;

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
  TimePoint Expires(const std::vector<RoleName>& roles) const;

  /// Bytes held, for `status` and the memory goal; an estimate.
  std::size_t resident_bytes() const;

  /// What Refresh reuses of it.
  const Parts& parts() const { return *parts_; }

 private:
  struct Derived;
  std::unique_ptr<const Parts> parts_;
  std::unique_ptr<const Derived> derived_;
};

}  // namespace crivet::trust
