// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "trust/decide/decide.h"
#include "trust/decide/refresh.h"
#include "trust/decide/refresh_schedule.h"
#include "trust/decide/trusted_set.h"
#include "trust/io/http/arrival.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/pull_secret.h"
#include "trust/io/service/flight_key.h"
#include "trust/io/service/name_misses.h"
#include "trust/io/service/service_clock.h"
#include "trust/io/service/service_setup.h"
#include "trust/io/service/service_status.h"
#include "trust/io/store/file_store.h"

namespace crivet::trust {

/// FailureFor says whom a failed refresh concerns.
enum class FailureFor : std::uint8_t {
  kEverybody,
  kTheseCredentials,  ///< 401, 403, 404, no token: another pod's may be better
};
FailureFor WhomItConcerns(const RefreshFailure& failure);

/// Brought is what a refresh for one name brings to those who wait for it, beside the set.
struct Brought {
  std::shared_ptr<const NameAnswer> answer;
  std::shared_ptr<const RefreshFailure> failure;
};

/// RepositorySlot is all that a service holds of one repository in memory: what is trusted, what
/// failed and when, who waits, and which credentials worked. It does no input or output.
/// Thread-safe; callbacks run without its lock, on the thread that ends what they waited for.
class RepositorySlot {
 public:
  /// `memory` is what all slots of a table take together: each adds what it holds.
  RepositorySlot(CollectionId id, std::string_view machine_id, SinceBoot known_since,
                 std::shared_ptr<std::atomic<std::size_t>> memory);
  ~RepositorySlot();

  const CollectionId& id() const { return id_; }

  /// What a decision for somebody with these credentials stands on.
  struct Seen {
    bool loaded = false;
    TrustView view;
    /// When a refresh last verified the set, in this process.
    std::optional<SinceBoot> verified;
    /// Whether a pull may start a refresh now: not soon after one that failed.
    bool may_refresh = true;
    bool may_ask = true;  ///< the same of one for the name
  };
  /// With a name: what concerns that name alone is told too (trust/RULES.md#asking-for-names).
  Seen See(const FlightKey& asker, SinceBoot now) const;

  void NoteDecision(SinceBoot now);

  // Waiting.
  using Then = std::function<void()>;
  /// The other end of a flight; nothing is brought by one that was for no name.
  using Landed = std::function<void(const Brought& brought)>;
  enum class Wait : std::uint8_t {
    kNot,     ///< `then` will not be called
    kJoined,  ///< `then` is called when it ends
    kBegin,   ///< as kJoined, and the caller has to start it
  };
  Wait AwaitLoad(Then then);
  void EndLoad();
  /// Nobody joins a flight that has been under way for longer than `patience`, unless a
  /// large file of it flows; and none is begun where Seen::may_refresh would say no by
  /// now, unless somebody insists.
  enum class Insistence : std::uint8_t { kNone, kInsists };
  struct Wish {
    FlightKey key;
    Insistence insistence = Insistence::kNone;
    std::chrono::milliseconds patience{};
    std::chrono::steady_clock::time_point now;
    SinceBoot since_boot{};
    std::shared_ptr<Arrival> arrival = std::make_shared<Arrival>();
  };
  Wait AwaitFlight(const Wish& wish, Landed then);
  void EndFlight(const FlightKey& key, const Brought& brought = {});
  /// Whether a refresh for these is under way, or waits for its turn.
  bool HasFlight(const FlightKey& key) const;

  /// kubelet tries one pull with each secret that it has, one after the other at once. Together
  /// they wait as long as one: what comes within a second of a wait in vain has what that left.
  /// `name` as in FlightKey.
  std::chrono::milliseconds PatienceLeft(std::chrono::milliseconds timeout,
                                         std::chrono::steady_clock::time_point now,
                                         const std::string& name = {}) const;
  void NoteWaitInVain(std::chrono::steady_clock::time_point began,
                      std::chrono::steady_clock::time_point ended, const std::string& name = {});

  // What a refresh begins with, and what it brings. Whoever brings something holds `commit_mutex`
  // from where it compares `serial` on.
  struct Ground {
    std::shared_ptr<const TrustedSet> set;
    std::shared_ptr<const Records> records;
    Floors floors;
    std::shared_ptr<const Anchors> anchors;  ///< where there is no set
    FileStore::Stamp stamp;
    /// Changes with every set, anchor or load that is adopted.
    std::uint64_t serial = 0;
    bool loaded = false;
    /// Set where the store has state that cannot be read: floors are unknown.
    std::shared_ptr<const RefreshFailure> unreadable;
    /// When the store last heard that the set was verified.
    std::optional<TimePoint> saved_at;
    RefreshHistory::Outcome last_outcome = RefreshHistory::Outcome::kNone;
  };
  Ground ground() const;
  std::mutex& commit_mutex() { return commit_mutex_; }

  /// The store's content takes the place of what is in memory. `failure`: why there is no set;
  /// kState where there may be one that cannot be read.
  struct FromStore {
    std::shared_ptr<const TrustedSet> set;
    Records records;
    Floors floors;
    std::shared_ptr<const Anchors> anchors;
    FileStore::Stamp stamp;
    std::optional<TimePoint> saved_at;
    std::optional<RefreshFailure> failure;
    Demands demands;
  };
  void Adopt(FromStore loaded);
  /// The store cannot be read: a set in memory, with its floors, goes on. False where there is
  /// none.
  bool KeepUnread(const Demands& demands);
  void Adopt(const Committed& committed, Demands demands);
  void Adopt(const NewerAnchors& newer);
  /// Whether the store has them too.
  enum class Saved : std::uint8_t { kNo, kYes };
  void AdoptRecords(Records records, Saved saved);
  bool has_unsaved_records() const;

  /// The files that have to be written so that the store has the state in memory: those given, with
  /// the bytes that earlier commits could not write.
  std::vector<StoredFile> WithUnsaved(std::vector<StoredFile> files) const;
  void NoteSaved(FileStore::Stamp stamp, const FileStore::Change& change);
  void NoteUnsaved(const FileStore::Change& change);
  /// Whether the latest commit has not reached the store.
  bool lacks_commit() const;

  enum class Asker : std::uint8_t { kPull, kBackground };
  /// `of_file`: Committed::file_failure. True where people have not been told of it yet.
  bool NoteVerified(const FlightKey& key, const SharedCredentials& credentials, SinceBoot at,
                    const std::optional<RefreshFailure>& of_file);
  /// A refresh for a name ended well; whether it verified the whole set too is for NoteVerified.
  void NoteNameAnswered(const FlightKey& key, const SharedCredentials& credentials);
  /// True where people have not been told of such a failure yet.
  bool NoteFailed(const FlightKey& key, RefreshFailure failure, FailureFor whom, Asker asker,
                  SinceBoot at);

  /// Takes the slot back to where nothing is loaded, unless the rules read the same as before.
  void TakeDemands(const Demands& demands);
  void Unload();
  void Forget();
  /// What was asked in vain a moment ago may be asked again.
  void ForgetMisses();

  // For the background.
  bool InUse() const;
  DueRefresh Due(const Moment& moment, std::chrono::seconds interval) const;
  /// What last worked through a server's label; whether it may go there today is for
  /// PullSecret::For.
  PullSecret Kept(const std::string& trust) const;

  // For the table.
  bool IsStranger() const;
  SinceBoot last_decision() const;
  /// About what the set, the records and the files that the store does not have yet take.
  std::size_t resident_bytes() const;
  /// Nobody waits, and the store has all that is known: whoever asks next loads it again.
  bool CanLeave() const;
  /// Lets a set go that could not be stored, and keeps its floors and chain. Whoever asks next asks
  /// the server. Does nothing while somebody waits.
  void ShrinkToFloors();

  RepositoryStatus Status(const Moment& moment, std::chrono::seconds interval) const;

 private:
  struct Refused {
    std::shared_ptr<const RefreshFailure> failure;
    SinceBoot at{};
  };
  struct Flight {
    std::chrono::steady_clock::time_point began;
    std::vector<Landed> waiting;
    std::shared_ptr<const Arrival> arrival;
  };
  /// Of waits in vain that followed on each other.
  struct InVain {
    std::chrono::steady_clock::time_point began;
    std::chrono::steady_clock::time_point ended;
  };

  Floors KnownFloors() const;
  void KeepFloors(Floors floors);
  void NoteSet();
  void Recount();
  bool HasUnsaved() const;
  const InVain* InVainBefore(const std::string& name,
                             std::chrono::steady_clock::time_point now) const;
  bool MayRefresh(const FlightKey& key, SinceBoot now) const;
  void NoteRefused(const CredentialsClass& credentials,
                   std::shared_ptr<const RefreshFailure> failure, SinceBoot at);
  bool NoteNameFailed(const FlightKey& key, RefreshFailure failure, SinceBoot at);

  const CollectionId id_;
  const RefreshPhase phase_;
  const std::shared_ptr<std::atomic<std::size_t>> memory_;
  std::mutex commit_mutex_;

  mutable std::mutex mutex_;
  TrustView view_;
  Floors floors_;                           ///< empty where they are the set's
  std::shared_ptr<const Anchors> anchors_;  ///< where there is no set
  FileStore::Stamp stamp_;
  std::optional<TimePoint> saved_at_;
  std::map<std::string, StoredFile> unsaved_;
  bool records_unsaved_ = false;
  bool floors_unsaved_ = false;  ///< of a set that has gone
  bool lacks_commit_ = false;
  std::size_t resident_bytes_ = 0;
  Demands demands_;
  std::shared_ptr<const RefreshFailure> unreadable_;
  std::uint64_t serial_ = 0;

  bool loaded_ = false;
  std::optional<std::vector<Then>> loading_;
  std::map<FlightKey, Flight> flights_;
  std::map<std::string, InVain> in_vain_;  ///< by name

  RefreshHistory history_;
  /// What `history_` ends with concerns certain credentials only.
  bool history_is_refusal_ = false;
  std::optional<SinceBoot> verified_;
  std::map<CredentialsClass, Refused> refused_;
  NameMisses misses_;
  std::map<std::string, PullSecret> kept_;

  // Behind pointers: of a thousand slots few have failed.
  std::unique_ptr<const RefreshFailure> last_failure_;
  std::unique_ptr<const RefreshFailure> last_name_failure_;  ///< that people were told of
  std::uint64_t failures_in_a_row_ = 0;
  bool no_credentials_ = false;
};

}  // namespace crivet::trust
