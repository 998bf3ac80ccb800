// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "trust/decide/evidence_holder.h"
#include "trust/decide/refresh_schedule.h"
#include "trust/io/service/evidence_disk.h"
#include "trust/io/service/later_questions.h"
#include "trust/io/service/refresh_runner.h"
#include "trust/io/service/repository_slot.h"
#include "trust/io/service/repository_table.h"
#include "trust/io/service/service_clock.h"
#include "trust/io/service/service_journal.h"
#include "trust/io/service/service_options.h"
#include "trust/io/service/service_setup.h"
#include "trust/io/service/service_status.h"
#include "trust/io/service/service_threads.h"
#include "trust/io/store/file_store.h"
#include "trust/io/store/file_system.h"

namespace crivet::trust {

/// ServiceSeams are the edges of a service to the machine; a test puts its own in their place.
struct ServiceSeams {
  ServiceSetup::MakeFetcher make_fetcher;
  std::function<Moment()> clock = Moment::OfMachine;
  TimePoint build_date = BuildDate();
  FileSystem* files = &FileSystem::Posix();
  std::function<std::unique_ptr<ServiceThreads>()> make_threads = OwnThreads;
};

/// OpenQuestion is one that waits for something. Thread-safe.
class OpenQuestion {
 public:
  virtual ~OpenQuestion() = default;
  /// Answers from memory now, unless it has been answered.
  virtual void AnswerNow() = 0;
  /// Whether somebody's pull waits for it.
  virtual bool IsAwaited() const = 0;
};

/// ServiceEngine is what moves inside a TrustService: who loads and refreshes which repository,
/// when, and on which thread. One thread keeps the time; work is done by short-lived ones, at most
/// eight for all servers (one for each, where there are more), so that a server that hangs holds up
/// only its own refreshes. Images' registries have as many threads each as a server, those with
/// signatures on another one apart from those without; those that no pattern of a rule names have
/// WorkerLanes::kMostForMany together. What is asked though nobody waits for it takes none of
/// those: each such refresh has one of its own, and LaterQuestions say how many there are.
/// Thread-safe.
class ServiceEngine {
 public:
  static Result<std::unique_ptr<ServiceEngine>> Create(ServiceOptions options, ServiceSeams seams);
  /// Answers what is still asked, from memory; breaks requests off.
  ~ServiceEngine();

  std::shared_ptr<const ServiceSetup> setup() const;
  Result<void> Reconfigure(const std::vector<TrustServer>& servers,
                           std::shared_ptr<const Policy> policy);

  ServiceClock& clock() { return clock_; }
  ServiceJournal& journal() { return journal_; }
  FileStore& store() { return *store_; }
  RefreshRunner& runner() { return *runner_; }
  RepositoryTable& table() { return table_; }
  const EvidenceDisk& evidence() const { return evidence_; }

  const Kinds& kinds() const { return kinds_; }
  /// By the clock of what is kept and waited for.
  Timetable::Clock::time_point Now() const { return threads_->Now(); }

  /// Precondition: of a kind that the service was given.
  std::shared_ptr<RepositorySlot> Slot(const CollectionId& id);

  /// Whether `then` will be called, on another thread.
  bool AwaitLoad(const std::shared_ptr<RepositorySlot>& slot, RepositorySlot::Then then);

  enum class WaitedForBy : std::uint8_t { kPull, kNobody };
  struct Wanted {
    std::shared_ptr<RepositorySlot> slot;
    std::shared_ptr<const ServerSetup> server;
    SharedCredentials credentials;
    RepositorySlot::Insistence insistence = RepositorySlot::Insistence::kNone;
    /// Unset: for all that the rules read.
    std::optional<AskedName> asked = std::nullopt;
    WaitedForBy waited_for_by = WaitedForBy::kPull;
  };
  /// The collection that has the file which that trust reads, as it is refreshed; nullopt: it reads
  /// none.
  std::optional<Wanted> SupplierOf(const std::string& trust);
  /// Joins or begins a refresh; whether `then` will be called when it ends, on another thread.
  bool AwaitRefresh(const Wanted& wanted, RepositorySlot::Landed then);
  /// Why nobody must wait for this server now; null where one may. Where it is, one refresh at a
  /// time still begins, to find out whether the server is back.
  std::shared_ptr<const RefreshFailure> HeldBack(const Wanted& wanted);

  /// ServiceOptions::await_changed_files.
  bool AwaitChangedFiles(std::function<void()> then) {
    return await_changed_files_ && await_changed_files_(std::move(then));
  }

  /// Files that trusts read out of the collections of others
  /// (trust/RULES.md#files-of-another-trust). To be called once a slot has another set: whoever
  /// reads a file of it has that from now on, or none where the set has none for them.
  void TakeFiles(const RepositorySlot& slot);
  /// Each file that some trust reads so, in the order of the configuration.
  std::vector<TrustFileStatus> Files();
  /// The collection was forgotten: nobody has its files any more.
  void ForgetFiles(const CollectionId& id);
  /// The store may have more or less of that repository's evidence. Not under its `commit_mutex`.
  void NoteEvidence(const RepositorySlot& slot);
  /// Lets evidence go where it takes more of the disk than it may. After every load and refresh,
  /// under no slot's `commit_mutex`.
  void KeepWithinDisk();
  /// Loads on this thread, unless it is loaded; waits for a load that is under way.
  void LoadNow(const std::shared_ptr<RepositorySlot>& slot);

  /// Keeps a question until it is answered: at `deadline`, or at the end, from memory.
  void Keep(const std::shared_ptr<OpenQuestion>& question, Timetable::Clock::time_point deadline);
  void Release(const std::shared_ptr<OpenQuestion>& question);

  /// Asks on another thread, in its turn (LaterQuestions).
  void AskLater(LaterQuestion question);

 private:
  ServiceEngine(ServiceOptions options, ServiceSeams seams, std::unique_ptr<FileStore> store);

  std::shared_ptr<const Policy> WithFiles(std::shared_ptr<const Policy> policy) const;
  void TakeSetup(std::shared_ptr<const ServiceSetup> taken);
  void KeepFilesFresh(const ServiceSetup& current, SinceBoot now);
  ServerSilence::Company CompanyOf(const CollectionId& id) const;
  void MeasureStored();
  void LetGo(EvidenceHolder::Spares spares);
  void LoadStored();
  void Plan(std::chrono::milliseconds in);
  void RefreshDue();
  void BeginInBackground(const std::shared_ptr<RepositorySlot>& slot,
                         const std::shared_ptr<const ServerSetup>& server, Cached cached);
  void Submit(const std::shared_ptr<RepositorySlot>& slot, RefreshRunner::Order order,
              WaitedForBy waited_for_by = WaitedForBy::kPull);
  void BeginLater();
  void EndLater(const std::string& server);
  std::string LaneOf(const CollectionId& id) const;

  const Kinds kinds_;
  const ServiceOptions::Refreshing refreshing_;
  const ServiceSetup::MakeFetcher make_fetcher_;
  const std::function<bool(std::function<void()> then)> await_changed_files_;
  ServiceClock clock_;
  ServiceJournal journal_;
  const std::unique_ptr<FileStore> store_;
  std::stop_source stop_;
  const std::unique_ptr<RefreshRunner> runner_;
  RepositoryTable table_;
  EvidenceDisk evidence_;
  std::mutex letting_go_;

  // One at a time gives it another setup. Taken before `mutex_`.
  std::mutex changing_;
  /// A file that a trust reads, and where and under which demand it was had.
  struct FileHeld {
    CollectionId from;
    std::string name;
    SharedDemand demand;
    PublishedFile file;
  };
  const FileHeld* HeldBy(const FileReader& reader) const;
  /// By the label of who reads it: two may read one collection under different roots.
  std::map<std::string, FileHeld> files_;

  mutable std::mutex mutex_;
  std::shared_ptr<const ServiceSetup> setup_;
  struct Rate {
    double per_second;
    RefreshRate limit;
  };
  std::map<std::string, Rate> rates_;  // by URL
  std::map<std::shared_ptr<OpenQuestion>, Timetable::Ticket> open_;
  Timetable::Clock::time_point planned_ = Timetable::Clock::time_point::max();
  Timetable::Ticket plan_;
  LaterQuestions later_;
  Timetable::Ticket later_plan_;

  // Last: they use all of the above.
  const std::unique_ptr<ServiceThreads> threads_;
};

}  // namespace crivet::trust
