// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "trust/decide/refresh.h"
#include "trust/tuf/metadata_request.h"
#include "trust/tuf1/root_pin.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

/// Update is the client workflow of the specification, 5.3 to 5.6, without delegated roles
/// (trust/tuf1/FORMAT.md#the-workflow): roots forward until there is none, timestamp, snapshot,
/// targets. It is driven as Refresh is. What it has verified stays verified where it fails later:
/// trusted() is to be kept either way, and only a complete one answers. Not thread-safe.
class Update {
 public:
  /// What was verified before, where the files themselves may be lost: nothing below it is taken.
  struct Least {
    std::int64_t root = 0;
    std::int64_t timestamp = 0;
    std::int64_t snapshot = 0;  ///< that a timestamp listed
    /// The public keys that signed the timestamp: where they no longer bind, neither do its
    /// numbers.
    std::set<Sha256> signers = {};
  };

  struct Start {
    Trusted trusted;
    Least least = {};
    TimePoint now = {};
    Expiry expiry = Expiry::kEnforced;
    Caps caps = {};
    /// Where there is no trusted root yet: roots are walked from that version on until one is
    /// pinned, and those before it count for nothing.
    RootPins pins = {};
    std::int64_t first_root = 1;
  };

  explicit Update(Start start);

  /// Nullopt once it is over.
  const std::optional<MetadataRequest>& Wanted() const { return wanted_; }
  /// The role of the file that it wants.
  std::string_view wanted_role() const;
  /// The version of the root that it wants. Precondition: it wants one.
  std::int64_t wanted_root() const { return next_root_; }
  void Supply(Fetched answer);

  /// Without roots where none was given and none of those met is pinned.
  const Trusted& trusted() const { return trusted_; }
  /// Of those numbers, what still binds.
  const Least& least() const { return least_; }
  /// Why it failed; nullopt while it runs and where it did not.
  const std::optional<RefreshFailure>& failure() const { return failure_; }

 private:
  enum class Step : std::uint8_t {
    kFirstRoot,
    kNextRoot,
    kNewTimestamp,
    kNewSnapshot,
    kNewTargets
  };

  void Want(Step step, MetadataRequest request);
  void WantNextRoot();
  void EndRoots();
  void OnFirstRoot(std::string bytes);
  void OnRoot(std::string bytes);
  void Take(Verified<Root> root);
  void OnTimestamp(std::string bytes);
  void TakeSnapshot();
  void OnSnapshot(std::string bytes);
  void TakeTargets();
  void OnTargets(std::string bytes);
  RoleFile TopTargets() const;
  /// Kept, discarded for an equal version, or refused.
  Result<void> ReadTimestamp(std::string bytes);
  Result<void> CheckFloors(const Timestamp& timestamp) const;
  Result<void> ReadSnapshot(std::string bytes);
  Result<void> CheckExpiry(std::string_view role, std::int64_t version, TimePoint expires) const;
  void End(std::string_view role, Error error);

  Trusted trusted_;
  Least least_;
  const TimePoint now_;
  const Expiry expiry_;
  const Caps caps_;
  const RootPins pins_;
  std::int64_t next_root_;
  /// The newest root of a chain of which nothing is pinned yet.
  std::optional<Verified<Root>> unpinned_;
  std::size_t links_ = 0;
  Step step_ = Step::kNextRoot;
  std::optional<MetadataRequest> wanted_;
  std::optional<RefreshFailure> failure_;
};

}  // namespace crivet::trust::tuf1
