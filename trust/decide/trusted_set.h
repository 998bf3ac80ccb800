// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/demand.h"
#include "trust/decide/evidence.h"
#include "trust/decide/floor.h"
#include "trust/decide/published_file.h"
#include "trust/decide/record.h"
#include "trust/decide/refresh.h"

namespace crivet::trust {

/// Judgement is what one trusted set says of one name now.
struct Judgement {
  Verdict verdict;
  Evidence evidence;
  /// Whether the set may speak under the demand at all. Where it may not, what this node verified
  /// earlier from the same collection does not count either.
  bool readable = false;
  /// Whether a refresh begun for this very name may change the verdict. Counts for kinds that ask
  /// for names (Kind::asks), and only where the verdict refuses.
  bool asks = false;
};

/// NameHere is what the runtime says of a name and the content that is asked about.
enum class NameHere : std::uint8_t {
  kUnknown,
  kIsThis,  ///< its store has the content under that very name
};

/// SetStatus is a set for `crivet status` and the metrics.
struct SetStatus {
  /// The signed files of the set: name -> (version, expires).
  std::map<std::string, std::pair<std::int64_t, TimePoint>> files;
  /// The one of them that the server signs anew by itself; empty: none.
  std::string renewed_by_server;
  std::optional<TimePoint> expires;
  /// Whom the rules should name instead of what is no longer the newest.
  std::optional<std::string> pin_instead;
};

/// AnchorLink is one link of what the trust in a set hangs from, for people.
struct AnchorLink {
  std::int64_t version = 0;
  TimePoint expires;
  std::vector<std::string> signed_by;
};

/// AnchorMatch is one thing that a demand pins, with the version of the link that it anchors.
struct AnchorMatch {
  std::string pinned;
  std::optional<std::int64_t> version;
};

/// SetExplanation is what `crivet verify` says of a set under one demand, beside the evidence.
struct SetExplanation {
  std::vector<AnchorLink> chain;  ///< oldest first
  std::vector<AnchorMatch> pinned;
  /// The link that the demand anchors at, as an index into `chain`; nullopt: none.
  std::optional<std::size_t> anchored_at;
  bool pin_is_newest = false;
  /// Part of the evidence -> what people should know of it, where that is not its version.
  std::map<std::string, std::string> notes;
  /// Whether what is wrong is the entry of the tag alone, as its publisher signed it.
  bool entry_is_unusable = false;
};

/// TrustedSet is what is trusted of one collection: all of it verified together, by one refresh.
/// Since then it may have expired, or newer anchors may have taken away keys that it stands on:
/// Current and StandingOf judge by the time that they are given. Immutable; safe to share between
/// threads.
class TrustedSet {
 public:
  virtual ~TrustedSet() = default;
  TrustedSet() = default;
  TrustedSet(const TrustedSet&) = delete;
  TrustedSet& operator=(const TrustedSet&) = delete;

  virtual const CollectionId& id() const = 0;
  /// When the server last confirmed this set.
  virtual TimePoint verified_at() const = 0;
  virtual Floors floors() const = 0;  ///< made anew where the set itself says them
  /// What remains where the set has to leave memory; never null.
  virtual std::shared_ptr<const Anchors> anchors() const = 0;
  /// Bytes held, for `status` and the memory goal; an estimate. Zero: nothing is known.
  virtual std::size_t resident_bytes() const = 0;

  /// One question to a set. Lives as long as the call.
  struct Asked {
    const ImageReference& reference;
    const Demand& demand;  ///< of the set's own kind
    const Records* records = nullptr;
    const RefreshFailure* failure = nullptr;  ///< of the latest refresh
    TimePoint now;
    /// For how long what was verified here counts once it has aged; zero: for ever.
    std::chrono::seconds present_max_age{0};
    /// Within which a registry has to have confirmed what is kept of it; zero: ever.
    std::chrono::seconds confirmed_within{0};
    /// The digest of what the node has under the name; null where it is to be pulled.
    const Sha256Digest* local = nullptr;
    NameHere name_here = NameHere::kUnknown;  ///< of `local`
    /// Which digest the name is, where that has been decided: by a pull that has it, or by a trust
    /// of the same rule that names it. Null where it is asked. Not with `local`.
    const Sha256Digest* named = nullptr;
    /// What a refresh begun for this question found; null where there was none.
    const NameAnswer* answer = nullptr;
  };
  /// Which digest is signed now for the name, records left aside (trust/RULES.md#vouched-for). The
  /// cost does not depend on the number of tags.
  virtual Judgement Current(const Asked& asked) const = 0;

  /// Whether a record with the tag or digest of the reference is of its repository too; always
  /// where the collection is of one. It has that name under the demand, then.
  virtual bool IsOf(const VerifiedRecord& /*record*/, const ImageReference& /*reference*/,
                    const Demand& /*demand*/) const {
    return true;
  }

  /// What a record of this collection is worth under the demand, whether the set has expired or
  /// not; present_max_age is for the caller. Precondition: Current said that the set is readable.
  virtual Standing StandingOf(const VerifiedRecord& record, const Demand& demand,
                              TimePoint now) const = 0;

  /// What becomes of the records of this collection once the set was verified: those of a tag that
  /// is gone are withdrawn, and go once it is listed again. Nothing goes because of a time.
  virtual Records RecordsAfter(Records records) const = 0;

  /// The earliest expiry of what the demands read; nullopt where nothing of it runs out.
  virtual std::optional<TimePoint> Expires(const Demands& demands) const = 0;

  /// A file that this demand reads (Kind::DemandOfFile); nullopt: the set has none of that name, or
  /// may not speak under the demand.
  virtual std::optional<PublishedFile> FileOf(const std::string& /*name*/,
                                              const Demand& /*demand*/) const {
    return std::nullopt;
  }

  virtual SetStatus Status(const Demands& demands, TimePoint now) const = 0;
  virtual SetExplanation Explain(const ImageReference& reference, const Demand& demand,
                                 TimePoint now) const = 0;
};

}  // namespace crivet::trust
