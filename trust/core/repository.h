#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trust/core/bytes.h"
#include "trust/core/image_reference.h"
#include "trust/core/public_key.h"
#include "trust/core/repository_id.h"
#include "trust/core/time.h"

namespace crivet::trust {

struct RootPin;
class Root;
class Timestamp;
class Snapshot;
class Targets;

/// Floor is the newest version of a role that this node has verified, with what it takes to tell
/// whether it still binds: its bytes and who signed them (DESIGN 4, rollback floors).
struct Floor {
  std::int64_t version = 0;
  Sha256 sha256{};
  std::set<KeyId> signers;
  friend bool operator==(const Floor&, const Floor&) = default;
};

/// Floors of one repository by role name. An entry also says that this node has seen the role
/// listed, so that it may not vanish in silence.
using Floors = std::map<RoleName, Floor>;

/// RootLink is one verified root of a chain: itself signed at its threshold, and by its
/// predecessor's.
struct RootLink {
  std::shared_ptr<const Root> root;
  Sha256 sha256{};
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

/// Repository is what is trusted of one collection: a chain of roots and one complete set of roles,
/// all of it verified together. It may have expired since: CheckFresh tells. Immutable; safe to
/// share between threads.
class Repository {
 public:
  struct Parts;  // made by Refresh alone
  explicit Repository(Parts parts);
  ~Repository();

  const RepositoryId& id() const;
  const std::vector<RootLink>& chain() const;  ///< oldest first, never empty
  const Root& root() const;                    ///< the newest
  const Timestamp& timestamp() const;
  const Snapshot& snapshot() const;

  /// The role's verified metadata; null where it has none: no verified parent delegates it, or it
  /// is delegated and nothing is signed by it yet, or it was not read.
  const Targets* Find(const RoleName& role) const;

  /// Keys and threshold that the verified parent gives a role (root for the four, else its
  /// delegating role); nullopt where nobody gives it any.
  struct RoleKeys {
    std::set<KeyId> key_ids;
    std::size_t threshold = 0;
  };
  std::optional<RoleKeys> KeysOf(const RoleName& role) const;

  /// Who signed the loaded metadata of a role, out of its keys; empty where none is loaded.
  std::set<KeyId> SignersOf(const RoleName& role) const;

  const Floors& floors() const;

  /// When the refresh that last verified this set ended.
  TimePoint verified_at() const;

  /// Where in the chain one of the pin's members matches; nullopt where none does. `now` is for
  /// certificate authorities. A tofu pin matches the oldest link.
  std::optional<PinMatch> Match(const RootPin& pin, TimePoint now) const;

  /// Which roles were read when the set was committed.
  const std::set<RoleName>& roles_read() const;

  /// kExpired with the role and its time where the newest root (its signing certificates too),
  /// timestamp, snapshot, targets or one of `roles` has run out. `grace` extends timestamp and
  /// snapshot only.
  Result<void> CheckFresh(const std::vector<RoleName>& roles, TimePoint now,
                          std::chrono::seconds grace) const;

  /// The earliest expiry of the set over `roles`, without grace.
  TimePoint Expires(const std::vector<RoleName>& roles) const;

  /// Bytes held, for `status` and the memory goal; an estimate.
  std::size_t resident_bytes() const;

 private:
  std::unique_ptr<const Parts> parts_;
};

}  // namespace crivet::trust
