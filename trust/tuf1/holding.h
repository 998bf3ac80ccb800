// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/time.h"
#include "trust/decide/floor.h"
#include "trust/decide/refresh.h"
#include "trust/tuf1/root_pin.h"
#include "trust/tuf1/target_files.h"
#include "trust/tuf1/trusted.h"
#include "trust/tuf1/update.h"

namespace crivet::trust::tuf1 {

/// RoleUses remembers which roles were asked last, so that the ones that nobody asks for leave
/// memory first. Thread-safe.
class RoleUses {
 public:
  /// Beyond so many the ones asked for longest ago are forgotten.
  static constexpr std::size_t kMost = 16 * 1024;

  void Touch(const std::vector<std::string>& roles);
  /// Of those roles, the ones asked last first.
  std::vector<std::string> InOrder(std::vector<std::string> roles) const;
  void Forget(const std::string& role);

 private:
  mutable std::mutex mutex_;
  std::uint64_t now_ = 0;
  std::map<std::string, std::uint64_t> last_;
};

/// Holding is all that this node has of one repository (trust/tuf1/FORMAT.md#what-is-kept): what
/// newer files are held against, and what answers. A value; cheap to copy.
struct Holding {
  /// Roots, timestamp and snapshot: the newest that ever verified, each by itself. No roles. No
  /// roots before the first contact where no file of a pin is one.
  Trusted newest;
  /// The numbers of files that may be lost.
  Update::Least least;
  /// The last set that was complete, with the delegated roles that were had for it, under the
  /// newest root: Trusted::IsComplete tells whether that still covers it.
  std::optional<Trusted> complete = {};
  /// The set before it, where roles that it had could not be had since.
  std::shared_ptr<const Trusted> before = nullptr;
  TimePoint verified_at = {};
  /// Of targets that the complete set lists.
  TargetFilesHeld target_files = {};
  /// Of targets whose file of today could not be had: those before.
  EarlierFiles earlier_files = {};
  /// What the store has.
  std::map<std::string, Sha256> stored = {};
  std::shared_ptr<RoleUses> uses = std::make_shared<RoleUses>();

  /// The numbers as the store keeps them. Precondition: there are roots.
  Floors FloorsNow() const;
  /// Where a refresh begins: the newest files, with the roles of the complete set.
  Update::Start Begin() const;
  /// Keeps what an Update verified; where it went through, that is the complete set now.
  enum class Went : unsigned char { kThrough, kNotThrough };
  void Take(const Update& update, Went went);
  /// Makes the chain of roots begin where the pins match. Where their oldest file is not in the
  /// chain, that root is the chain; where they have none and match nothing, there is no chain, and
  /// nothing that hung on it.
  void AnchorAt(const RootPins& pins);

  /// Drops delegated roles beyond so many of them or so many bytes of all: of whichever delegation
  /// of `targets` leads to the most, the ones that were asked for longest ago, so that nobody who
  /// is delegated to can push out the roles of others. They are had again when a name leads to
  /// them. Precondition: there is a complete set.
  void KeepWithin(std::size_t roles, std::size_t bytes);

  /// Under the keys of the newest root: what of the complete set they no longer cover; empty:
  /// nothing.
  std::string Uncovered() const;
  bool SameAnchors(const Holding& other) const;

  std::vector<StoredFile> AnchorFiles() const;
  std::vector<StoredFile> Files() const;
  /// The store has what Files would be, or AnchorFiles where there is no complete set, and nothing
  /// else.
  void NoteAllStored();
};

/// How floors, records and evidence name keys.
std::vector<std::string> TextsOf(const std::set<Sha256>& keys);

/// What the names of stored files are.
std::string StoredRoot(std::int64_t version);
/// The version of a root that is stored under that name; nullopt where it is another file.
std::optional<std::int64_t> StoredRootVersion(std::string_view stored_as);
/// Nullopt for a name so long that its file is not stored: it is had again when it is asked for.
std::optional<std::string> StoredRole(std::string_view role);
/// The role whose file is stored under that name; nullopt where it is no delegated role's.
std::optional<std::string> RoleStoredAs(std::string_view stored_as);
inline constexpr std::string_view kNewestTimestamp = "newest timestamp";
inline constexpr std::string_view kNewestSnapshot = "newest snapshot";
bool IsStoredAnchor(std::string_view stored_as);

/// Reads numbers back.
Update::Least LeastOf(const Floors& floors);

/// TufAnchors are what is kept where there is no complete set.
struct TufAnchors final : Anchors {
  explicit TufAnchors(Holding kept) : holding(std::move(kept)) {}
  const Holding holding;
};

}  // namespace crivet::trust::tuf1
