// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust_io/test_node.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace crivet::trust {

TestNode::TestNode() {
  machine_->moment = {SigningRepository::kNow, std::chrono::hours(5)};
  AddServer("acme", kUrl);
  server().With(kWeb, [](SigningRepository& web) {
    web.Sign("targets", "1.0", DigestOf("web 1.0"));
    web.Publish();
  });
  SetRules({VerifyRule("registry.acme.example/**", kWeb)});
}

TrustServer& TestNode::AddServer(const std::string& label, const std::string& url) {
  servers_[label] = std::make_shared<SimulatedServer>();
  TrustServer settings;
  settings.label = label;
  settings.kind = std::string(NotaryKind().name());
  settings.url = url;
  settings.auth = TrustServer::Auth::kFromPull;
  settings_.push_back(settings);
  return settings_.back();
}

TrustServer& TestNode::Settings(const std::string& label) {
  return *std::find_if(settings_.begin(), settings_.end(),
                       [&](const TrustServer& each) { return each.label == label; });
}

NotaryRule TestNode::VerifyRule(const std::string& pattern, const std::string& pinned_gun,
                                const std::string& label) {
  NotaryRule rule = ActionRule(pattern, Action::kVerify);
  rule.trust = label;
  rule.url = Settings(label).url;
  rule.roles = {RoleName::Parse("targets/releases").value(), RoleName::Targets()};
  Server(label).With(pinned_gun, [&](SigningRepository& pinned) {
    rule.root.key_ids = {pinned.keys("root").front().Parsed().canonical_id()};
  });
  return rule;
}

NotaryRule TestNode::ActionRule(const std::string& pattern, Action action) {
  NotaryRule rule;
  rule.name = pattern;
  rule.images = {ImagePattern::Parse(pattern).value()};
  rule.action = action;
  return rule;
}

void TestNode::SetRules(std::vector<NotaryRule> rules, NotaryRule fallback) {
  SetRules(std::vector<Rule>(rules.begin(), rules.end()), Rule(fallback));
}

void TestNode::SetRules(std::vector<Rule> rules, Rule fallback, std::vector<FileReader> files) {
  fallback.name = "default";
  fallback.is_default = true;
  Result<Policy> policy = Policy::Create(std::move(rules), std::move(fallback), std::move(files));
  if (!policy) throw std::runtime_error(policy.error().detail);
  policy_ = std::make_shared<const Policy>(*std::move(policy));
}

std::unique_ptr<TrustService> TestNode::Made(TrustService::Refreshing refreshing) {
  TrustService::Options options;
  options.kinds = kinds_;
  options.state_dir = "state";
  options.servers = settings_;
  options.policy = policy_;
  options.refreshing = refreshing;
  options.machine_id = "node";
  options.await_changed_files = await_changed_files_;
  if (max_resident_bytes_) options.max_resident_bytes = *max_resident_bytes_;
  if (max_evidence_bytes_) options.max_evidence_bytes = *max_evidence_bytes_;
  options.log = [machine = machine_](const std::string& line) {
    const std::lock_guard lock(machine->mutex);
    machine->lines.push_back(line);
  };
  ServiceSeams seams;
  seams.make_fetcher = [servers = servers_, fetchers = fetchers_](const TrustServer& server) {
    const auto other = fetchers.find(server.label);
    return Result<std::shared_ptr<MetadataFetcher>>(
        other == fetchers.end() ? servers.at(server.label) : other->second);
  };
  seams.clock = [machine = machine_] {
    const std::lock_guard lock(machine->mutex);
    return machine->moment;
  };
  seams.build_date = build_date_;
  seams.make_threads = make_threads_;
  seams.files = disk_.get();
  Result<std::unique_ptr<TrustService>> service =
      TrustService::Create(std::move(options), std::move(seams));
  if (!service) throw std::runtime_error(service.error().detail);
  return *std::move(service);
}

void TestNode::Start(TrustService::Refreshing refreshing) {
  service_.reset();
  service_ = Made(refreshing);
}

std::unique_ptr<TrustService> TestNode::Beside() {
  return Made(TrustService::Refreshing::kOnlyWhenAsked);
}

void TestNode::Reconfigure() { service_->Reconfigure(settings_, policy_); }

std::vector<std::string> TestNode::Lines() const {
  const std::lock_guard lock(machine_->mutex);
  return machine_->lines;
}

void TestNode::Advance(std::chrono::seconds by) {
  const std::lock_guard lock(machine_->mutex);
  machine_->moment.wall += by;
  machine_->moment.since_boot += by;
}

void TestNode::SetWall(TimePoint wall) {
  const std::lock_guard lock(machine_->mutex);
  machine_->moment.wall = wall;
}

TimePoint TestNode::wall() const {
  const std::lock_guard lock(machine_->mutex);
  return machine_->moment.wall;
}

Question TestNode::Ask(const std::string& reference) {
  return {.reference = ImageReference::Parse(reference).value(),
          .local = std::nullopt,
          .credentials = std::nullopt};
}

Question TestNode::AskAs(const std::string& reference, const std::string& username) {
  Question question = Ask(reference);
  question.credentials.emplace();
  question.credentials->username = username;
  question.credentials->password = "secret of " + username;
  return question;
}

CollectionId TestNode::IdOf(const std::string& gun) { return NotaryCollection(kUrl, gun); }

RepositoryStatus TestNode::StatusOf(const std::string& gun) const {
  const ServiceStatus status = service_->Status();
  for (const RepositoryStatus& each : status.repositories) {
    if (each.id.name == gun) return each;
  }
  throw std::runtime_error("no repository " + gun);
}

std::string Outcome(const Decision& decision) {
  if (const auto* allow = std::get_if<Allow>(&decision.verdict)) {
    return allow->digest ? allow->digest->ToString() : "allow";
  }
  if (const auto* deny = std::get_if<Deny>(&decision.verdict)) {
    return std::string(CodeOf(deny->reason));
  }
  return std::string(CodeOf(std::get<Unavailable>(decision.verdict).reason));
}

std::string Found(const Decision& decision) {
  if (const auto* deny = std::get_if<Deny>(&decision.verdict)) return deny->found;
  const auto* unavailable = std::get_if<Unavailable>(&decision.verdict);
  return unavailable ? unavailable->found : "";
}

}  // namespace crivet::trust
