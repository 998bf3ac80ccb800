// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/fetch_cause.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/decide/policy.h"
#include "trust/notary/repository.h"

namespace crivet::trust {

/// MetadataRequest is one file that a refresh wants next, in the server's own naming
/// (trust/notary/FORMAT.md#the-servers-files): `timestamp.json`, `root.json`, `3.root.json`,
/// `targets/releases.<sha256>.json`.
struct MetadataRequest {
  std::string file;
  std::size_t max_bytes = 0;
  /// Set where the file is named by its content: what the bytes must hash to.
  std::optional<Sha256> sha256;
};

/// FetchFailure is why a wanted file could not be had.
struct FetchFailure {
  enum class Kind : std::uint8_t { kNotFound, kNetwork, kTooLarge } kind = Kind::kNotFound;
  /// Of kNetwork.
  NetworkCause cause = NetworkCause::kUnreachable;
  /// All that is known of it, for people; null where nothing more is.
  std::shared_ptr<const FetchCause> why = nullptr;

  /// Of kNetwork, with the word that belongs to the cause.
  static FetchFailure Network(FetchCause why);
};

using Fetched = tl::expected<std::string, FetchFailure>;

/// StoredFile is one file of a committed set. `bytes` is missing where the set before held the same
/// content under the same name, so that the store has it already. Every root of the chain is
/// `<version>.root`; a store answers `root.json` with the highest of them.
struct StoredFile {
  std::string name;  ///< `3.root`, `timestamp`, `snapshot`, `targets`, `targets/releases`
  Sha256 sha256;
  std::optional<std::string> bytes;
};

/// NewerRoots are roots that a refresh verified before it failed. They act at once
/// (trust/RULES.md#refresh-is-one-transaction): take `repository` in place of what was trusted,
/// store `files` and `floors`, and start the next refresh with them.
struct NewerRoots {
  /// From the anchor to the newest, never empty.
  std::vector<RootLink> chain;
  /// The set trusted before, now hung from the newer root; its CheckFresh refuses where that root's
  /// keys no longer cover it. Null where there was no set.
  std::shared_ptr<const Repository> repository;
  /// The files of the chain alone.
  std::vector<StoredFile> files;
  /// All floors, root's raised.
  Floors floors;
};

/// RefreshFailure is a refresh that was not committed. What was trusted before is unchanged, but
/// for the roots that it may bring.
struct RefreshFailure {
  Error error;
  /// The role at which it ended, and the network's cause where there was one.
  std::string role;
  std::optional<NetworkCause> cause;
  /// Set where the server does not know the collection: 404 on root.json at first contact, on
  /// timestamp.json later.
  bool not_found = false;
  std::optional<NewerRoots> newer_roots;
  /// All that is known of why a file could not be had, for people.
  std::shared_ptr<const FetchCause> why = nullptr;
};

/// Committed is a refresh that verified whole: the new trusted state and what to store of it.
struct Committed {
  std::shared_ptr<const Repository> repository;
  std::vector<StoredFile> files;
  /// False where the server had nothing new: only `verified_at` moved.
  bool changed = false;
};

/// Refresh is one transaction over a repository: pure, driven from outside. It says which file it
/// wants, is given its bytes or the failure to get them, and ends with a Committed state or a
/// RefreshFailure; what was trusted before is never touched
/// (trust/RULES.md#refresh-is-one-transaction). The order of files, the walk along the roots,
/// floors and hashes are decided here, so that a server, a folder and a test drive the same code:
///
///     while (auto wanted = refresh.Wanted()) refresh.Supply(Fetch(*wanted));
///     auto outcome = std::move(refresh).Finish();
///
/// Not thread-safe; independent objects are.
class Refresh {
 public:
  enum class Source : std::uint8_t {
    kServer,  ///< expired metadata is refused
    kStore,   ///< what was committed earlier: expiry is left to the decision
  };

  struct Start {
    RepositoryId id;
    Source source = Source::kServer;
    /// What is trusted now; null on first contact, and when loading from the store.
    std::shared_ptr<const Repository> previous = {};
    /// Floors to hold against, also where `previous` was lost. Ignored where `previous` is set.
    Floors floors = {};
    /// Roots trusted already where there is no set to go with them (NewerRoots::chain). Ignored
    /// where `previous` is set.
    std::vector<RootLink> chain = {};
    /// Pins of every rule that reads this repository; one must anchor the chain.
    std::vector<RootPin> pins = {};
    /// Every role that those rules read. `targets` is always among them.
    std::vector<RoleName> roles = {};
    /// The largest grace among those rules.
    std::chrono::seconds grace{0};
    TimePoint now = {};
    /// Of kStore: when the server last confirmed the stored set.
    TimePoint verified_at = {};
    Limits limits = {};
  };

  explicit Refresh(Start start);
  Refresh(Refresh&&) noexcept;
  Refresh& operator=(Refresh&&) noexcept;
  ~Refresh();

  /// The file it wants next; nullopt once it is over. Stays the same until Supply.
  std::optional<MetadataRequest> Wanted() const;

  /// Answers the pending request. Bytes beyond `max_bytes` or off `sha256` are refused here too.
  void Supply(Fetched answer);

  /// How it ended. Precondition: Wanted() is nullopt.
  tl::expected<Committed, RefreshFailure> Finish() &&;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace crivet::trust
