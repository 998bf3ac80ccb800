// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/decide/trusted_set.h"
#include "trust/tuf1/holding.h"
#include "trust/tuf1/search.h"
#include "trust/tuf1/tag_roles.h"
#include "trust/tuf1/tuf_demand.h"

namespace crivet::trust::tuf1 {

/// Repository is what is trusted of one repository of TUF 1.0: its last complete set, with the
/// delegated roles that were had for it so far. Which roles a name takes shows when it is searched;
/// where one is missing, the answer is that it has to be had (Judgement::asks). Immutable but for
/// what RoleUses remembers; thread-safe.
class Repository final : public TrustedSet {
 public:
  /// Precondition: there is a complete set.
  Repository(CollectionId id, Holding holding);

  const Holding& holding() const { return holding_; }
  const Trusted& complete() const { return *holding_.complete; }
  /// What the newest root no longer covers; empty: nothing.
  const std::string& uncovered() const { return uncovered_; }

  /// Whether the chain of roots has the one that the demand pins.
  bool IsAnchored(const TufDemand& demand) const;
  /// What a search says with what is here.
  Search::Outcome Look(const Trusted& set, const Search::Question& question,
                       const TufDemand& demand) const;
  TagRoles RolesOfTags(const Trusted& set, std::string_view prefix, TimePoint now,
                       const TufDemand& demand) const;

  const CollectionId& id() const override { return id_; }
  TimePoint verified_at() const override { return holding_.verified_at; }
  Floors floors() const override { return floors_; }
  std::shared_ptr<const Anchors> anchors() const override;
  std::size_t resident_bytes() const override { return resident_bytes_; }

  // What it says of names (judgement.cc, standing.cc) and of itself. Every demand is a TufDemand.
  Judgement Current(const Asked& asked) const override;
  bool IsOf(const VerifiedRecord& record, const ImageReference& reference,
            const Demand& demand) const override;
  Standing StandingOf(const VerifiedRecord& record, const Demand& demand,
                      TimePoint now) const override;
  Records RecordsAfter(Records records) const override;
  std::optional<TimePoint> Expires(const Demands& demands) const override;
  std::optional<PublishedFile> FileOf(const std::string& name, const Demand& demand) const override;
  SetStatus Status(const Demands& demands, TimePoint now) const override;
  SetExplanation Explain(const ImageReference& reference, const Demand& demand,
                         TimePoint now) const override;

 private:
  const CollectionId id_;
  const Holding holding_;
  const std::string uncovered_;
  const Floors floors_;
  const std::size_t resident_bytes_;
};

/// RecordName is what a record of this kind has as its name: the target, and the way from `targets`
/// to each role that named it.
struct RecordName {
  std::string target;
  std::vector<std::vector<std::string>> ways;

  std::string Text() const;
  /// Nullopt for a text that no RecordName gives.
  static std::optional<RecordName> Parse(std::string_view text);
};

/// The delegation of `targets` on whose way a record's name was found, or `targets` itself; empty
/// for a record of no RecordName.
std::string OwnerOfRecord(const VerifiedRecord& record);

}  // namespace crivet::trust::tuf1
