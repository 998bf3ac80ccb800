// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/trust_service.h"

#include <algorithm>
#include <future>
#include <utility>

#include "trust/decide/decide.h"
#include "trust/io/http/http_fetcher.h"
#include "trust/io/http/server_url.h"
#include "trust/io/registry/registry_fetcher.h"
#include "trust/io/service/files_fetcher.h"
#include "trust/io/service/folder_fetcher.h"
#include "trust/io/service/inquiry.h"
#include "trust/io/service/service_engine.h"

namespace crivet::trust {
namespace {

using Note = std::function<void(const std::string&)>;

Result<std::shared_ptr<MetadataFetcher>> FetcherBelow(const TrustServer& server, const Kind* kind,
                                                      const Note& note) {
  if (kind != nullptr && kind->MayBeFolder() && server.url.starts_with(kFolderScheme)) {
    return std::make_shared<FolderFetcher>(server.url.substr(kFolderScheme.size()));
  }
  Result<std::unique_ptr<HttpFetcher>> fetcher = HttpFetcher::Create(server, note);
  if (!fetcher) return tl::unexpected(std::move(fetcher.error()));
  return std::shared_ptr<MetadataFetcher>(*std::move(fetcher));
}

Result<std::shared_ptr<MetadataFetcher>> FetcherFor(const TrustServer& server, const Kind* kind,
                                                    const Note& note) {
  if (kind != nullptr && kind->server() == Kind::Server::kImageRegistry) {
    return std::make_shared<RegistryFetcher>(server, note, kind->LooseSignatures());
  }
  auto own = FetcherBelow(server, kind, note);
  if (!own || server.files_url.empty()) return own;
  // Files may lie on another host: what goes there is looked up for that host.
  return std::make_shared<FilesFetcher>(*std::move(own), [files = ForFiles(server), kind, note] {
    return FetcherBelow(files, kind, note);
  });
}

}  // namespace

Result<std::unique_ptr<TrustService>> TrustService::Create(Options options) {
  ServiceSeams seams;
  seams.make_fetcher = [note = options.log, kinds = options.kinds](const TrustServer& server) {
    return FetcherFor(server, FindKind(kinds, server.kind), note);
  };
  return Create(std::move(options), std::move(seams));
}

Result<std::unique_ptr<TrustService>> TrustService::Create(Options options, ServiceSeams seams) {
  Result<std::unique_ptr<ServiceEngine>> engine =
      ServiceEngine::Create(std::move(options), std::move(seams));
  if (!engine) return tl::unexpected(std::move(engine.error()));
  return std::unique_ptr<TrustService>(new TrustService(*std::move(engine)));
}

TrustService::TrustService(std::unique_ptr<ServiceEngine> engine) : engine_(std::move(engine)) {}

TrustService::~TrustService() = default;

void TrustService::Decide(Question question, Done done) {
  std::make_shared<Inquiry>(*engine_, std::move(question), std::move(done))->Advance();
}

Decision TrustService::DecideNow(Question question) {
  std::promise<Decision> answer;
  Decide(std::move(question), [&](Decision decision) { answer.set_value(std::move(decision)); });
  return answer.get_future().get();
}

void TrustService::Remember(const ImageReference& reference, const Decision& decision) {
  const Result<TimePoint> now = engine_->clock().Now();
  if (!now) return;
  for (const MemberRecord& member : RecordsOf(decision, *now)) {
    const std::optional<CollectionId>& id = decision.applied.collections[member.member];
    if (id) engine_->runner().Remember(*engine_->Slot(*id), member.record);
  }
  AskOtherMembers(reference, decision);
}

std::shared_ptr<const Policy> TrustService::policy() const {
  return engine_->setup()->shared_policy();
}

// trust/RULES.md#several-trusts: on the day on which the member that decided is gone, what is there
// has to be vouched for by another. What they say changes no answer, and no pull waits behind it.
void TrustService::AskOtherMembers(const ImageReference& reference, const Decision& decision) {
  const auto* allow = std::get_if<Allow>(&decision.verdict);
  const AppliedRule& applied = decision.applied;
  if (allow == nullptr || !allow->digest || applied.rule->combine != Combine::kAnyOf) return;
  for (std::size_t i = 0; i < applied.collections.size(); ++i) {
    if (i == decision.member || !applied.collections[i]) continue;
    Question question{.reference = reference, .local = std::nullopt, .credentials = std::nullopt};
    // What a tag is has been decided: a kind that would ask a registry for it asks about that
    // digest.
    const bool names = applied.rule->members[i].kind->asks() == Kind::Asks::kNames;
    (names ? question.named : question.local) = allow->digest;
    question.of_member = Question::Member{applied, i};
    const bool told = std::any_of(decision.disagree.begin(), decision.disagree.end(),
                                  [&](const MemberDigest& other) { return other.member == i; });
    const bool may_disagree = !names && !told && !reference.digest();
    const auto note = [engine = engine_.get(), i, may_disagree, reference, by = decision.member,
                       pulled = *allow->digest](const Decision& answer) {
      const Result<TimePoint> now = engine->clock().Now();
      const std::optional<CollectionId>& id = answer.applied.collections[i];
      if (!now || !id) return;
      const auto record = RecordOf(answer, *now);
      if (record) engine->runner().Remember(*engine->Slot(*id), *record);
      if (!may_disagree) return;
      // By what is known of it now that it was asked, and not by what is on record.
      const TrustView view = engine->Slot(*id)->See({}, engine->clock().Read().seconds()).view;
      const Decision current = DecidePull(reference, answer.applied, view, *now, i);
      const auto* other = std::get_if<Allow>(&current.verdict);
      if (other == nullptr || !other->digest || *other->digest == pulled) return;
      const std::vector<Member>& members = answer.applied.rule->members;
      engine->journal().CountDisagreement();
      engine->journal().Say(reference.Canonical() + " is " + pulled.ToString() + " by [trust." +
                            members[by].trust + "] and " + other->digest->ToString() +
                            " by [trust." + members[i].trust +
                            "]: the rule takes the first of them that allows");
    };
    engine_->AskLater(
        {.server = applied.collections[i]->url,
         .rule = applied.rule->name,
         .repository = reference.repository(),
         .subject = reference.Canonical() + ' ' + allow->digest->ToString() + ' ' +
                    applied.rule->members[i].trust,
         .ask = [engine = engine_.get(), question = std::move(question),
                 note](const std::function<void()>& ended) {
           std::make_shared<Inquiry>(*engine, question, [note, ended](const Decision& answer) {
             note(answer);
             ended();
           })->Advance();
         }});
  }
}

TrustView TrustService::View(const CollectionId& id) {
  const std::shared_ptr<RepositorySlot> slot = engine_->Slot(id);
  engine_->LoadNow(slot);
  return slot->See({}, engine_->clock().Read().seconds()).view;
}

void TrustService::Reconfigure(const std::vector<TrustServer>& servers,
                               std::shared_ptr<const Policy> policy) {
  const Result<void> taken = engine_->Reconfigure(servers, std::move(policy));
  if (!taken) engine_->journal().Say("the old configuration stays: " + taken.error().detail);
}

Result<void> TrustService::Forget(const CollectionId& id) {
  const std::shared_ptr<RepositorySlot> slot = engine_->Slot(id);
  const std::lock_guard lock(slot->commit_mutex());
  if (Result<void> forgotten = engine_->store().Forget(id); !forgotten) return forgotten;
  slot->Forget();
  engine_->NoteEvidence(*slot);
  engine_->ForgetFiles(id);
  return {};
}

Result<std::size_t> TrustService::ForgetNames(const CollectionId& id,
                                              const ImageReference& signed_as) {
  const std::shared_ptr<const TrustedSet> set = View(id).set;
  if (!set) {
    return Fail(Reason::kNoTrustData,
                "nothing of " + id.url + " is verified here, which would tell whose a record is");
  }
  const Demands demands = engine_->setup()->DemandsOn(id);
  return engine_->runner().ForgetRecords(*engine_->Slot(id), [&](const VerifiedRecord& record) {
    return std::any_of(demands.begin(), demands.end(), [&](const SharedDemand& demand) {
      return set->IsOf(record, signed_as, *demand);
    });
  });
}

Result<EvidenceHolder::TagFloor> TrustService::ForgetTag(const CollectionId& id,
                                                         const std::string& tag) {
  EvidenceHolder::TagFloor before;
  const auto without = [&](const EvidenceHolder& held) -> std::optional<Committed> {
    before = held.FloorOf(tag);
    return before.own ? std::optional(held.WithoutFloorOf(tag)) : std::nullopt;
  };
  const Result<void> forgotten = engine_->runner().ForgetIn(*engine_->Slot(id), without);
  if (!forgotten) return tl::unexpected(forgotten.error());
  return before;
}

Result<TrustService::EvidenceForgotten> TrustService::ForgetEvidence(const CollectionId& id) {
  const std::shared_ptr<RepositorySlot> slot = engine_->Slot(id);
  engine_->LoadNow(slot);
  EvidenceForgotten what;
  if (slot->ground().unreadable) {
    if (Result<void> forgotten = Forget(id); !forgotten) return tl::unexpected(forgotten.error());
    return what;
  }
  const auto without = [&](const EvidenceHolder& held) -> std::optional<Committed> {
    what.images = held.images();
    return what.images > 0 ? std::optional(held.WithoutEvidence()) : std::nullopt;
  };
  const Result<void> forgotten = engine_->runner().ForgetIn(*slot, without);
  if (!forgotten) return tl::unexpected(forgotten.error());
  engine_->NoteEvidence(*slot);
  const Result<std::size_t> records =
      engine_->runner().ForgetRecords(*slot, [](const VerifiedRecord&) { return true; });
  if (!records) return tl::unexpected(records.error());
  what.records = *records;
  return what;
}

ServiceStatus TrustService::Status() const {
  ServiceStatus status;
  const std::shared_ptr<const ServiceSetup> setup = engine_->setup();
  const Moment moment = engine_->clock().Read();
  for (const std::shared_ptr<RepositorySlot>& slot : engine_->table().All()) {
    const std::shared_ptr<const ServerSetup> server = setup->ServerOf(slot->id());
    if (!server) continue;
    RepositoryStatus one = slot->Status(moment, server->server.refresh_interval);
    one.trust = server->server.label;
    // Nothing of it is refreshed, or grows old.
    if (FindKind(engine_->kinds(), one.id.kind)->asks() == Kind::Asks::kNames) {
      one.verified_at.reset();
      one.next_refresh.reset();
    }
    status.repositories.push_back(std::move(one));
  }
  status.files = engine_->Files();
  status.refreshes = engine_->journal().counts();
  status.members_disagreed = engine_->journal().disagreements();
  const EvidenceDisk& evidence = engine_->evidence();
  status.evidence = {evidence.bytes(), evidence.max(), evidence.repositories()};
  status.state_problem = engine_->journal().state_problem();
  if (const Result<TimePoint> now = engine_->clock().Now(); !now) {
    status.clock_problem = now.error().detail;
  }
  return status;
}

Fetched TrustService::FetchAnchor(const CollectionId& id) {
  const std::shared_ptr<const ServerSetup> server = engine_->setup()->ServerOf(id);
  const Kind* const kind = FindKind(engine_->kinds(), id.kind);
  if (!server || kind == nullptr) return tl::unexpected(FetchFailure{});
  MetadataFetcher::Terms terms;
  terms.patience = server->server.timeout;
  terms.deadline = std::chrono::steady_clock::now() + server->server.timeout;
  return server->fetcher->Fetch(kind->AnchorRequest(id, server->limits()), terms).fetched;
}

void TrustService::Look(const CollectionId& id, Refresh& refresh) {
  const std::shared_ptr<const ServerSetup> server = engine_->setup()->ServerOf(id);
  const auto deadline = std::chrono::steady_clock::now() +
                        (server ? server->server.timeout : std::chrono::milliseconds{0});
  while (const std::optional<FileRequest> wanted = refresh.Wanted()) {
    if (!server) {
      refresh.Supply(tl::unexpected(FetchFailure{}));
      continue;
    }
    MetadataFetcher::Terms terms;
    terms.patience = server->server.timeout;
    terms.deadline = deadline;
    refresh.Supply(server->fetcher->Fetch(*wanted, terms).fetched);
  }
}

RefreshOutcome TrustService::Import(const CollectionId& id, const std::string& folder) {
  const std::shared_ptr<RepositorySlot> slot = engine_->Slot(id);
  RefreshOutcome outcome = engine_->runner().Import(*slot, folder);
  engine_->NoteEvidence(*slot);
  engine_->TakeFiles(*slot);
  return outcome;
}

}  // namespace crivet::trust
