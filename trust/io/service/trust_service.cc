// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/trust_service.h"

#include <future>
#include <utility>

#include "trust/decide/decide.h"
#include "trust/io/http/http_fetcher.h"
#include "trust/io/service/inquiry.h"
#include "trust/io/service/service_engine.h"

namespace crivet::trust {

Result<std::unique_ptr<TrustService>> TrustService::Create(Options options) {
  ServiceSeams seams;
  seams.make_fetcher =
      [note = options.log](const TrustServer& server) -> Result<std::shared_ptr<MetadataFetcher>> {
    Result<std::unique_ptr<HttpFetcher>> fetcher = HttpFetcher::Create(server, note);
    if (!fetcher) return tl::unexpected(std::move(fetcher.error()));
    return std::shared_ptr<MetadataFetcher>(*std::move(fetcher));
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

void TrustService::Remember(const ImageReference& /*reference*/, const Decision& decision) {
  const Result<TimePoint> now = engine_->clock().Now();
  if (!now || !decision.applied.repository) return;
  const std::optional<VerifiedRecord> record = RecordOf(decision, *now);
  if (record) engine_->runner().Remember(*engine_->Slot(*decision.applied.repository), *record);
}

TrustView TrustService::View(const RepositoryId& id) {
  const std::shared_ptr<RepositorySlot> slot = engine_->Slot(id);
  engine_->LoadNow(slot);
  return slot->See(ClassOf(nullptr), engine_->clock().Read().seconds()).view;
}

void TrustService::Reconfigure(const std::vector<TrustServer>& servers,
                               std::shared_ptr<const Policy> policy) {
  const Result<void> taken = engine_->Reconfigure(servers, std::move(policy));
  if (!taken) engine_->journal().Say("the old configuration stays: " + taken.error().detail);
}

Result<void> TrustService::Forget(const RepositoryId& id) {
  const std::shared_ptr<RepositorySlot> slot = engine_->Slot(id);
  const std::lock_guard lock(slot->commit_mutex());
  if (Result<void> forgotten = engine_->store().Forget(id); !forgotten) return forgotten;
  slot->Forget();
  return {};
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
    status.repositories.push_back(std::move(one));
  }
  status.refreshes = engine_->journal().counts();
  status.state_problem = engine_->journal().state_problem();
  if (const Result<TimePoint> now = engine_->clock().Now(); !now) {
    status.clock_problem = now.error().detail;
  }
  return status;
}

tl::expected<std::string, FetchFailure> TrustService::FetchRoot(const RepositoryId& id) {
  const std::shared_ptr<const ServerSetup> server = engine_->setup()->ServerOf(id);
  if (!server) return tl::unexpected(FetchFailure{});
  MetadataFetcher::Terms terms;
  terms.patience = server->server.timeout;
  terms.deadline = std::chrono::steady_clock::now() + server->server.timeout;
  return server->fetcher->Fetch(id.gun, {"root.json", server->limits().root_bytes, {}}, terms)
      .fetched;
}

tl::expected<Committed, RefreshFailure> TrustService::Import(const RepositoryId& id,
                                                             const std::string& folder) {
  return engine_->runner().Import(*engine_->Slot(id), folder);
}

}  // namespace crivet::trust
