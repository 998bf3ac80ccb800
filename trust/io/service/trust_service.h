// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trust/base/result.h"
#include "trust/decide/decide.h"
#include "trust/decide/evidence_holder.h"
#include "trust/decide/policy.h"
#include "trust/decide/refresh.h"
#include "trust/io/http/trust_server.h"
#include "trust/io/service/question.h"
#include "trust/io/service/service_options.h"
#include "trust/io/service/service_status.h"

namespace crivet::trust {

class ServiceEngine;
struct ServiceSeams;

/// TrustService answers questions about images: from memory where it can, after one shared, bounded
/// refresh where it must (trust/RULES.md#freshness). It owns the state folder's repositories,
/// refreshes those in use in the background, and writes records. Thread-safe.
class TrustService {
 public:
  using Options = ServiceOptions;
  using Refreshing = ServiceOptions::Refreshing;

  /// Loads nothing: repositories are loaded from the store when first asked for, and in the
  /// background. kState where the state folder cannot be made or read at all.
  static Result<std::unique_ptr<TrustService>> Create(Options options);
  /// With other edges than the machine's, for tests.
  static Result<std::unique_ptr<TrustService>> Create(Options options, ServiceSeams seams);
  /// Answers what is still asked, breaks off what is under way (within about a second).
  ~TrustService();

  /// Answers through `done` exactly once: on the calling thread where memory suffices, else on a
  /// thread of the service, at most the server's `timeout` later. Never throws, never blocks.
  using Done = Answered;
  void Decide(Question question, Done done);

  /// Decide for callers that may block (the command line).
  Decision DecideNow(Question question);

  /// Remembers an allowed tag durably, once the runtime has the content (trust/RULES.md#records):
  /// writes to the disk where that is news. Does nothing for a decision that RecordOf gives no
  /// record.
  void Remember(const ImageReference& reference, const Decision& decision);

  /// The trusted set behind a name for explaining (`crivet verify`, `pin`); loads it from the store
  /// where it has to.
  TrustView View(const CollectionId& id);

  /// The rules in force, with what the files of other trusts say in them: what Question::Member is
  /// of.
  std::shared_ptr<const Policy> policy() const;

  /// Takes new rules and servers at once; what a removed pin anchored is no longer trusted.
  void Reconfigure(const std::vector<TrustServer>& servers, std::shared_ptr<const Policy> policy);

  /// Drops chain, floors and records of a repository (`crivet forget`).
  Result<void> Forget(const CollectionId& id);
  /// Of a collection that holds many repositories, drops the records of one, under whichever of the
  /// rules' demands it has them, and tells how many. `signed_as` is any image of it, under the name
  /// under which it is signed. kNoTrustData where no verified set tells whose a record is.
  Result<std::size_t> ForgetNames(const CollectionId& id, const ImageReference& signed_as);

  // Of a repository whose images' registry has the signatures (Kind::Asks::kNames).

  /// Drops the floor of one tag and nothing else, and tells what there was, and what there is that
  /// counts for it still.
  Result<EvidenceHolder::TagFloor> ForgetTag(const CollectionId& id, const std::string& tag);
  struct EvidenceForgotten {
    std::size_t images = 0;
    std::size_t records = 0;
  };
  /// Drops evidence and records, and no floor; all of it where the state cannot be read, which
  /// mends that.
  Result<EvidenceForgotten> ForgetEvidence(const CollectionId& id);

  ServiceStatus Status() const;

  /// Fetches the newest anchor of a collection without trusting it, for `crivet pin`. Asks as the
  /// server's own `auth` says; there are no pull secrets.
  Fetched FetchAnchor(const CollectionId& id);

  /// Drives a refresh through the server of a collection and keeps nothing of it, for `crivet pin`.
  /// Asks as FetchAnchor does.
  void Look(const CollectionId& id, Refresh& refresh);

  /// Imports one collection from a folder of metadata files named as the server names them
  /// (`root.json`, `timestamp.json`, `targets/releases.json`, …), verified as it enters.
  RefreshOutcome Import(const CollectionId& id, const std::string& folder);

 private:
  explicit TrustService(std::unique_ptr<ServiceEngine> engine);
  void AskOtherMembers(const ImageReference& reference, const Decision& decision);
  std::unique_ptr<ServiceEngine> engine_;
};

}  // namespace crivet::trust
