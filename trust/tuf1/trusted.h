// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/tuf/metadata_request.h"
#include "trust/tuf1/metadata.h"
#include "trust/tuf1/signed_file.h"
#include "trust/tuf1/targets.h"

namespace crivet::trust::tuf1 {

/// Caps are what one repository may cost (trust/tuf1/FORMAT.md#sizes).
struct Caps {
  std::size_t root_bytes = 512 * 1024;
  std::size_t timestamp_bytes = 64 * 1024;
  std::size_t snapshot_bytes = 16 * 1024 * 1024;
  std::size_t targets_bytes = 16 * 1024 * 1024;
  /// Links that one refresh walks.
  std::size_t root_links = 256;
  /// Roles beside `targets` that one search reads.
  std::size_t delegations = 32;
  Limits files = {};
};

/// Verified is one file whose signatures were checked.
template <typename T>
struct Verified {
  std::shared_ptr<const T> content;
  std::shared_ptr<const std::string> bytes;  ///< as served
  Sha256 sha256{};                           ///< of them
  /// Of what was signed, in whatever layout. Not of a targets role.
  Sha256 signed_sha256{};
  std::set<Sha256> signers;  ///< the public keys

  friend bool operator==(const Verified& a, const Verified& b) { return a.sha256 == b.sha256; }
};

/// Trusted is the newest verified file of each role: what the specification calls trusted metadata.
/// It is what newer files are held against, and speaks for names only as far as its files belong
/// together: IsComplete, Find. A value; cheap to copy.
struct Trusted {
  /// From the one that the configuration vouches for to the newest; never empty.
  std::vector<Verified<Root>> roots;
  std::optional<Verified<Timestamp>> timestamp = {};
  std::optional<Verified<Snapshot>> snapshot = {};
  /// By role, `targets` among them.
  std::map<std::string, Verified<Targets>, std::less<>> roles = {};
  /// Which file of a role verified by the keys that some other file gives the role: (delegating
  /// file, role) -> (file, signers). Never wrong, whatever is replaced meanwhile.
  struct Acceptance {
    Sha256 file{};
    std::set<Sha256> signers;
  };
  std::map<std::pair<Sha256, std::string>, Acceptance> accepted = {};

  const Root& root() const { return *roots.back().content; }

  /// Whether timestamp, snapshot and targets are there and list each other.
  bool IsComplete() const;
  /// The role's file, where it is the one that the snapshot lists and verified by the keys that the
  /// file `delegator` gives the role. Null where it has to be had first.
  const Targets* Find(std::string_view role, const Sha256& delegator) const;
  /// To be called when the snapshot was replaced: a file that it lists by a hash that Find does not
  /// compare, and that is not the listed one, is accepted no longer.
  void HoldAgainstSnapshot();
  /// Drops what stands on files that are no longer here.
  void Prune();
};

/// Whose expiry counts.
enum class Expiry : unsigned char {
  kEnforced,
  kIgnored,  ///< of what was stored: that is for the decision
};

/// Reads the first root: it has to meet its own threshold, may have expired.
Result<Verified<Root>> ReadFirstRoot(std::string bytes, const Caps& caps);
/// Reads the root after `before`: signed at the threshold of both, the next version.
Result<Verified<Root>> ReadNextRoot(std::string bytes, const Verified<Root>& before,
                                    const Caps& caps);

/// Reads a timestamp, or a snapshot, that the root's keys have signed. Version and expiry are for
/// the caller.
Result<Verified<Timestamp>> ReadTimestamp(std::string bytes, const Root& root, const Caps& caps);
Result<Verified<Snapshot>> ReadSnapshot(std::string bytes, const Root& root, const Caps& caps);
/// Reads the file of a targets role that was stored. Nobody has vouched for it: no signers, and it
/// says nothing before AcceptKnown.
Result<Verified<Targets>> ReadUnverified(std::string bytes, const Caps& caps);

/// RoleFile is one targets role, reached through a delegation.
struct RoleFile {
  std::string role;
  const RoleKeys* keys = nullptr;  ///< that the delegator gives it
  Sha256 delegator{};              ///< its file
};

/// The request for it; kNoTrustData where the snapshot does not list the role. Precondition: there
/// is a snapshot.
Result<MetadataRequest> RequestFor(const Trusted& trusted, const std::string& role,
                                   const Caps& caps);
/// Takes a role's file: listed bytes, signatures, shape, version, expiry, in this order.
Result<void> Accept(Trusted& trusted, const RoleFile& role, std::string bytes, Expiry expiry,
                    TimePoint now, const Caps& caps);
/// Takes the file that is here already, where it is the listed one and verifies for this delegator
/// too.
bool AcceptKnown(Trusted& trusted, const RoleFile& role, const Caps& caps);

/// `name.json`, with its version in front where `version` is set; all but unreserved characters of
/// the name percent-encoded.
std::string FileNameOf(std::string_view role, std::optional<std::int64_t> version);

/// Error with the role's name in front.
Error Of(std::string_view role, Error error);

}  // namespace crivet::trust::tuf1
