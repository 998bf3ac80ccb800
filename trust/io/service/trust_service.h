// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/decide/decide.h"
#include "trust/decide/policy.h"
#include "trust/decide/record.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// Question is one thing that the gate or the command line wants to know.
struct Question {
  ImageReference reference;
  PodNamespace pod_namespace = NoNamespace{};
  /// Unset: which digest may be pulled. Set: may this content count as `reference`?
  std::optional<Sha256Digest> local;
  /// What the PullImage of `reference` carried. Goes where PullSecret::For lets it.
  std::optional<RegistryCredentials> credentials;
  enum class Reach : std::uint8_t {
    kRefresh,  ///< from memory; a miss or a stale set waits for one bounded refresh
               ///< (trust/RULES.md#records)
    kOffline,  ///< memory and store only
    kForce,    ///< one refresh first, whatever is in memory (`crivet verify`, `warm`)
  } reach = Reach::kRefresh;
};

/// RepositoryStatus is one repository in use, for `crivet status` and the metrics.
struct RepositoryStatus {
  RepositoryId id;
  std::string trust;
  /// role -> (version, expires); empty where no complete set is known.
  std::map<std::string, std::pair<std::int64_t, TimePoint>> roles;
  std::optional<TimePoint> verified_at;
  std::optional<TimePoint> next_refresh;
  std::optional<TimePoint> expires;
  /// The latest refresh where it failed, and how often in a row.
  std::optional<RefreshFailure> last_failure;
  std::uint64_t failures_in_a_row = 0;
  bool no_credentials = false;
  std::optional<KeyId> pin_instead;  ///< the pin is no longer the newest root's: pin this one
  std::size_t records = 0;
  std::size_t resident_bytes = 0;
};

/// RefreshCounts counts refreshes by how they ended. Labels are closed sets.
struct RefreshCounts {
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
  std::map<Reason, std::uint64_t> failed;
  /// Collections whose first root was trusted because a rule says `tofu`.
  std::uint64_t trusted_on_first_use = 0;
};

class ServiceEngine;
struct ServiceSeams;

/// ServiceStatus is the whole of it, taken at one moment.
struct ServiceStatus {
  std::vector<RepositoryStatus> repositories;
  RefreshCounts refreshes;
  std::string state_problem;  ///< empty, or why the state folder does not take writes
  std::string clock_problem;  ///< empty, or why the clock is not believed
};

/// TrustService answers questions about images: from memory where it can, after one shared, bounded
/// refresh where it must (trust/RULES.md#freshness). It owns the state folder's repositories,
/// refreshes those in use in the background, and writes records. Thread-safe.
class TrustService {
 public:
  enum class Refreshing : std::uint8_t { kInBackground, kOnlyWhenAsked };

  struct Options {
    std::string state_dir;
    std::vector<TrustServer> servers;
    std::shared_ptr<const Policy> policy;
    Refreshing refreshing = Refreshing::kInBackground;
    /// Phases the refreshes of a fleet (trust/RULES.md#load-on-the-server).
    std::string machine_id;
    /// What verified sets may take in memory, about. The least used leave it, never the disk.
    std::size_t max_resident_bytes = std::size_t{128} * 1024 * 1024;
    /// One line for people each time something in the background deserves it; any thread.
    std::function<void(const std::string& line)> log;
  };

  /// Loads nothing: repositories are loaded from the store when first asked for, and in the
  /// background. kState where the state folder cannot be made or read at all.
  static Result<std::unique_ptr<TrustService>> Create(Options options);
  /// With other edges than the machine's, for tests.
  static Result<std::unique_ptr<TrustService>> Create(Options options, ServiceSeams seams);
  /// Answers what is still asked, breaks off what is under way (within about a second).
  ~TrustService();

  /// Answers through `done` exactly once: on the calling thread where memory suffices, else on a
  /// thread of the service, at most the server's `timeout` later. Never throws, never blocks.
  using Done = std::function<void(Decision)>;
  void Decide(Question question, Done done);

  /// Decide for callers that may block (the command line).
  Decision DecideNow(Question question);

  /// Remembers an allowed tag durably, once the runtime has the content (trust/RULES.md#records):
  /// writes to the disk where that is news. Does nothing for a decision that RecordOf gives no
  /// record.
  void Remember(const ImageReference& reference, const Decision& decision);

  /// The trusted set behind a name for explaining (`crivet verify`, `pin`); loads it from the store
  /// where it has to.
  TrustView View(const RepositoryId& id);

  /// Takes new rules and servers at once; what a removed pin anchored is no longer trusted.
  void Reconfigure(const std::vector<TrustServer>& servers, std::shared_ptr<const Policy> policy);

  /// Drops chain, floors and records of a repository (`crivet forget`).
  Result<void> Forget(const RepositoryId& id);

  ServiceStatus Status() const;

  /// Fetches the newest root of a collection without trusting it, for `crivet pin`. Asks as the
  /// server's own `auth` says; there are no pull secrets.
  tl::expected<std::string, FetchFailure> FetchRoot(const RepositoryId& id);

  /// Imports one collection from a folder of metadata files named as the server names them
  /// (`root.json`, `timestamp.json`, `targets/releases.json`, …), verified as it enters.
  tl::expected<Committed, RefreshFailure> Import(const RepositoryId& id, const std::string& folder);

 private:
  explicit TrustService(std::unique_ptr<ServiceEngine> engine);
  std::unique_ptr<ServiceEngine> engine_;
};

}  // namespace crivet::trust
