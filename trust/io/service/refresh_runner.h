// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "trust/decide/evidence_holder.h"
#include "trust/decide/kind.h"
#include "trust/decide/refresh.h"
#include "trust/decide/refresh_schedule.h"
#include "trust/io/http/credentials.h"
#include "trust/io/service/repository_slot.h"
#include "trust/io/service/service_clock.h"
#include "trust/io/service/service_journal.h"
#include "trust/io/service/service_setup.h"
#include "trust/io/store/file_store.h"

namespace crivet::trust {

/// RefreshRunner drives Refresh against the store, a server or a folder, on its caller's thread,
/// and makes what came out of it true: on disk first, then in memory. Where the disk takes no
/// writes, memory goes on alone and the journal says so. Thread-safe, also for one slot.
class RefreshRunner {
 public:
  /// How many times a server's `timeout` one refresh may last: a walk over many roots or a large
  /// targets file may take longer than anybody waits for it.
  static constexpr int kBudgetInTimeouts = 10;

  /// The rules and servers in force, which may change while a refresh is under way.
  using CurrentSetup = std::function<std::shared_ptr<const ServiceSetup>()>;

  /// Whether the node knows other repositories on the server of this one.
  using CompanyOf = std::function<ServerSilence::Company(const CollectionId&)>;

  RefreshRunner(const Kinds& kinds, FileStore& store, ServiceClock& clock, ServiceJournal& journal,
                CurrentSetup setup, CompanyOf company, std::stop_token stop);

  /// Takes the store's state of the repository into the slot, verified anew.
  void Load(RepositorySlot& slot);

  struct Order {
    std::shared_ptr<const ServerSetup> server;
    FlightKey key;
    SharedCredentials credentials;
    /// Set where the key has a name.
    std::optional<AskedName> asked = std::nullopt;
    Cached cached = Cached::kAllowed;
    RepositorySlot::Asker asker = RepositorySlot::Asker::kPull;
    /// Of its latest request.
    std::shared_ptr<Arrival> arrival = std::make_shared<Arrival>();
  };
  using Outcome = RefreshOutcome;

  /// One refresh from the server, which may not be silent for longer than its `timeout`. Begins
  /// anew where the rules have come to read something else meanwhile.
  Outcome RunFromServer(RepositorySlot& slot, const Order& order);

  /// One refresh from a folder that a person filled.
  Outcome Import(RepositorySlot& slot, const std::string& folder);

  /// Remembers a record in the store and the slot, unless the set in force has withdrawn its tag;
  /// in the slot alone where the store takes none.
  void Remember(RepositorySlot& slot, const VerifiedRecord& record);

  /// Lets evidence go, as EvidenceHolder::Without; false where none went.
  bool LetGo(RepositorySlot& slot, std::size_t bytes, EvidenceHolder::Spares spares);

  /// Puts another set in the place of one that holds evidence, in the slot and the store, because a
  /// person has something forgotten: whole, or not at all. Where there is nothing to forget, none
  /// is given. kState also where the slot's state has not reached the disk.
  using Forgetting = std::function<std::optional<Committed>(const EvidenceHolder&)>;
  Result<void> ForgetIn(RepositorySlot& slot, const Forgetting& forget);

  /// Drops those records from the slot and the store, and tells how many there were; whole, or not
  /// at all.
  Result<std::size_t> ForgetRecords(RepositorySlot& slot,
                                    const std::function<bool(const VerifiedRecord&)>& is_meant);

 private:
  using Supplier = std::function<Fetched(const FileRequest&)>;
  enum class Settled : std::uint8_t {
    kDone,
    kOutdated,  ///< what this one stood on is gone: somebody else was quicker, or the rules changed
  };

  Outcome Run(RepositorySlot& slot, const Limits& limits, const Supplier& supply,
              const std::optional<AskedName>& asked,
              RefreshStart::Ahead ahead = RefreshStart::Ahead::kInUse);
  Supplier FromServer(const RepositorySlot& slot, const Order& order, Cached cached);
  Fetched FileOfAnother(const RepositorySlot& slot, const Order& order, const FileRequest& request,
                        MetadataFetcher::Terms terms);
  Settled Settle(RepositorySlot& slot, RepositorySlot::Ground ground, const Demands& demands,
                 Outcome& outcome);
  void NoteOutcome(RepositorySlot& slot, const Order& order, const Outcome& outcome,
                   TimePoint began);
  Settled Save(RepositorySlot& slot, const RepositorySlot::Ground& ground,
               const FileStore::Change& change);
  /// The error where the store cannot be read and what is in memory stays.
  std::optional<Error> LoadLocked(RepositorySlot& slot);
  RepositorySlot::FromStore Verified(const RepositorySlot& slot, const ServiceSetup& setup,
                                     FileStore::Loaded loaded);
  void MarkWithdrawn(RepositorySlot& slot, const TrustedSet& set);
  void SaveRecords(RepositorySlot& slot, Records records,
                   const std::function<Records(Records)>& change);
  void NoteFirstUse(const RepositorySlot& slot, const RepositorySlot::Ground& ground,
                    const Committed& committed);
  const Kind& KindOf(const RepositorySlot& slot) const;
  bool MayTellTheTime(const RepositorySlot& slot) const;
  TimePoint NowOrWall() const;

  const Kinds kinds_;
  FileStore& store_;
  ServiceClock& clock_;
  ServiceJournal& journal_;
  const CurrentSetup setup_;
  const CompanyOf company_;
  const std::stop_token stop_;
};

}  // namespace crivet::trust
