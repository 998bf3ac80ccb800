// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/fetch_cause.h"
#include "trust/base/image_reference.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/demand.h"
#include "trust/decide/file_request.h"
#include "trust/decide/floor.h"

namespace crivet::trust {

class TrustedSet;

/// Anchors are what a kind trusts of a collection where there is no complete set to go with it: a
/// chain of roots, for those that have one. Only the kind looks into it. Immutable.
class Anchors {
 public:
  virtual ~Anchors() = default;
  Anchors() = default;
  Anchors(const Anchors&) = delete;
  Anchors& operator=(const Anchors&) = delete;
};

/// AskedName is one name that a refresh is begun for, by kinds that ask for names (Kind::asks).
struct AskedName {
  ImageReference reference;
  /// The digest of what the node has under the name, or that it has been decided to be; unset where
  /// that is asked.
  std::optional<Sha256Digest> local = std::nullopt;
  /// Within which what is kept of its signatures has to have been confirmed, else it is asked for
  /// again; zero: ever.
  std::chrono::seconds confirmed_within{0};

  /// Tells it from every other name of its collection.
  std::string Key() const;
};

/// NameAnswer is what a refresh for a name found that is true of that moment alone, and so is no
/// part of the set: to which digest a registry resolved the tag. Whoever waited for that refresh
/// gets it, nobody later. Only the kind looks into it. Immutable.
class NameAnswer {
 public:
  virtual ~NameAnswer() = default;
  NameAnswer() = default;
  NameAnswer(const NameAnswer&) = delete;
  NameAnswer& operator=(const NameAnswer&) = delete;
};

/// StoredFile is one file of a committed set. `bytes` is missing where the set before held the same
/// content under the same name, so that the store has it already.
struct StoredFile {
  std::string name;  ///< the kind's own: Kind::IsAnchorFile tells those of the anchors
  Sha256 sha256;
  std::optional<std::string> bytes;
};

/// NewerAnchors are anchors that a refresh verified before it failed. They act at once
/// (trust/RULES.md#refresh-is-one-transaction): take `set` in place of what was trusted, store
/// `files` and `floors`, and start the next refresh with them.
struct NewerAnchors {
  /// Never null.
  std::shared_ptr<const Anchors> anchors;
  /// The set trusted before, now hung from the newer anchor; it refuses where that anchor's keys no
  /// longer cover it. Null where there was no set.
  std::shared_ptr<const TrustedSet> set;
  /// The files of the anchors alone.
  std::vector<StoredFile> files;
  /// All floors, the anchor's raised.
  Floors floors;
};

/// RefreshFailure is a refresh that was not committed. What was trusted before is unchanged, but
/// for the anchors that it may bring.
struct RefreshFailure {
  Error error;
  /// The file at which it ended, in the kind's words, and the network's cause where there was one.
  std::string at;
  std::optional<NetworkCause> cause;
  /// Set where the server does not know the collection.
  bool not_found = false;
  std::optional<NewerAnchors> newer_anchors;
  /// All that is known of why a file could not be had, for people.
  std::shared_ptr<const FetchCause> why = nullptr;
};

/// Committed is a refresh that verified whole: the new trusted state and what to store of it.
struct Committed {
  std::shared_ptr<const TrustedSet> set;
  std::vector<StoredFile> files;
  /// False where the server had nothing new: only `verified_at` moved.
  bool changed = false;
  /// Whether nothing but `tofu` speaks for the anchor.
  bool on_first_use = false;
  /// Why a file that another trust reads is not the one of today, where one is not. The set counts
  /// all the same: who publishes a file holds up nothing else.
  std::optional<RefreshFailure> file_failure = std::nullopt;
  /// Of a refresh for a name; null where the set says it all.
  std::shared_ptr<const NameAnswer> answer = nullptr;
  /// The same on top of a set, never null, that somebody else committed while this refresh was
  /// under way. Empty where it takes a new refresh. Pure.
  std::function<Committed(std::shared_ptr<const TrustedSet> newer)> onto = nullptr;
};

using RefreshOutcome = tl::expected<Committed, RefreshFailure>;

/// RefreshStart is what a refresh of one collection begins with.
struct RefreshStart {
  enum class Source : std::uint8_t {
    kServer,  ///< what has expired is refused
    kStore,   ///< what was committed earlier: expiry is left to the decision
  };

  CollectionId id;
  Source source = Source::kServer;
  /// How much of what a name alone needs is read without one, by kinds that ask for names too.
  enum class Ahead : std::uint8_t {
    kInUse,  ///< what names have needed so far
    kAll,    ///< all that there is: it was brought by hand, and nobody can be asked later
  } ahead = Ahead::kInUse;
  /// What is trusted now; null on first contact, and when loading from the store.
  std::shared_ptr<const TrustedSet> previous = nullptr;
  /// Floors to hold against, also where `previous` was lost. Ignored where `previous` is set.
  Floors floors = {};
  /// Anchors trusted already where there is no set to go with them. Ignored where `previous` is
  /// set.
  std::shared_ptr<const Anchors> anchors = nullptr;
  /// Of every rule that reads this collection.
  Demands demands = {};
  TimePoint now = {};
  /// Of kStore: when the server last confirmed the stored set, and the names of the stored files.
  TimePoint verified_at = {};
  std::vector<std::string> stored = {};
  Limits limits = {};
  /// The name that it is begun for; unset: for all that the demands read.
  std::optional<AskedName> asked = std::nullopt;
};

/// Refresh is one transaction over a collection: pure, driven from outside. It says which file it
/// wants, is given its bytes or the failure to get them, and ends with a Committed state or a
/// RefreshFailure; what was trusted before is never touched
/// (trust/RULES.md#refresh-is-one-transaction). The order of files and all checks are the kind's,
/// so that a server, a folder, the store and a test drive the same code:
///
///     while (auto wanted = refresh->Wanted()) refresh->Supply(Fetch(*wanted));
///     auto outcome = refresh->Finish();
///
/// Not thread-safe; independent objects are.
class Refresh {
 public:
  virtual ~Refresh() = default;
  Refresh() = default;
  Refresh(const Refresh&) = delete;
  Refresh& operator=(const Refresh&) = delete;

  /// The file it wants next; nullopt once it is over. Stays the same until Supply.
  virtual std::optional<FileRequest> Wanted() const = 0;

  /// Answers the pending request. Bytes beyond `max_bytes` or off `sha256` are refused here too.
  virtual void Supply(Fetched answer) = 0;

  /// How it ended, once. Precondition: Wanted() is nullopt.
  virtual RefreshOutcome Finish() = 0;
};

}  // namespace crivet::trust
