// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trust/decide/refresh.h"
#include "trust/tuf/metadata.h"
#include "trust/tuf/metadata_request.h"
#include "trust/tuf/root_chain.h"

namespace crivet::trust {

/// RootWalk finds the newest root that can be trusted (trust/RULES.md#roots). It is driven like
/// Refresh.
///
/// With a trusted chain it asks for the newest root and then for every one in between, each exactly
/// one version further and signed by its predecessor. Without one it asks for the newest and walks
/// back, link by link, until the pins have found their anchors; with kBeforeTheChain it walks back
/// from the chain's oldest link, and whatever it meets, the chain stays trusted. A pin's own
/// `root_file` is taken from the configuration and never asked for. Not thread-safe.
class RootWalk {
 public:
  struct Start {
    std::string name;
    /// Trusted so far, anchored by the pins; empty for a first contact.
    std::vector<RootLink> chain = {};
    /// The newest root ever verified; it never falls.
    std::optional<Floor> floor = {};
    std::vector<RootPin> pins = {};
    /// Set where a verified snapshot lists the newest root.
    std::optional<FileEntry> newest = {};
    /// How far back it goes.
    enum class Back : std::uint8_t {
      kToAnchors,        ///< a first contact: until every pin has found its anchor
      kAsFarAsThereAre,  ///< a store holds the whole chain: a set in it may hang from an older link
      kBeforeTheChain,   ///< a pin does not match the chain: as kToAnchors, for older links alone
    } back = Back::kToAnchors;
    TimePoint now = {};
    Limits limits = {};
  };

  /// Older tells whether it went back until every pin had its anchor, or there was nothing older.
  /// An answer that is no link may be somebody's on the wire, and says nothing of what there is.
  enum class Older : std::uint8_t { kNotSearched, kSearched };

  struct Found {
    /// From the anchor to the newest.
    std::vector<RootLink> chain;
    /// By version, what was read on the way and is part of the chain.
    std::map<std::int64_t, std::string> files;
    Older older = Older::kNotSearched;
  };
  using Outcome = tl::expected<Found, RefreshFailure>;

  explicit RootWalk(Start start);

  /// Nullopt once it is over.
  const std::optional<MetadataRequest>& Wanted() const { return wanted_; }
  void Supply(Fetched answer);
  /// Precondition: Wanted() is nullopt.
  Outcome Finish() && { return std::move(*outcome_); }

 private:
  enum class Step : std::uint8_t { kNewest, kForward, kOldest, kBackward };

  void OnNewest(Fetched answer);
  void OnForward(Fetched answer);
  void OnOldest(Fetched answer);
  void OnBackward(Fetched answer);
  void WalkForward();
  void WalkBackward();
  /// Takes `older` as the link before the oldest; false where it is not.
  bool Prepend(RootFile older);
  std::optional<RootFile> ConfiguredRoot(std::int64_t version) const;
  bool EveryPinMatches() const;
  void EndAtTrusted();
  void EndBackward(const FetchFailure& failure);
  void EndBackward(Older older, const std::optional<FetchFailure>& away = std::nullopt);
  void EndUnanchored(std::int64_t newest);
  void Want(Step step, std::string file);
  void End(Reason reason, std::string detail);
  void End(RefreshFailure failure);
  void End(Found found);

  Start start_;
  Step step_ = Step::kNewest;
  std::optional<MetadataRequest> wanted_;
  std::optional<RootFile> newest_;
  /// Forward: the links found beyond the trusted chain. Backward: all links, oldest first; the last
  /// is the trusted chain's oldest where there is one.
  std::deque<RootFile> links_;
  std::optional<Outcome> outcome_;
};

/// FailureOf says what not getting a file means for the refresh that wanted it.
RefreshFailure FailureOf(const FetchFailure& failure, const MetadataRequest& request,
                         std::string_view role);

}  // namespace crivet::trust
