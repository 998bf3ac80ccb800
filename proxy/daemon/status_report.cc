// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/status_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "crivet/admin/v1/admin.pb.h"
#include "proxy/version.h"
#include "proxy/watch/reason_with_cause.h"
#include "trust/base/bytes.h"
#include "trust/base/fetch_cause.h"
#include "trust/decide/verdict.h"

namespace crivet::proxy {
namespace {

std::int64_t Seconds(trust::TimePoint time) { return time.time_since_epoch().count(); }
std::int64_t Seconds(const std::optional<trust::TimePoint>& time) {
  return time ? Seconds(*time) : 0;
}

// By its answer to a call, not by the road's connection, which may be up while nobody answers.
std::string_view WordOf(const trust::Result<RuntimeFacts>& runtime) {
  if (runtime) return "up";
  return runtime.error().reason == trust::Reason::kUnreachable ? "down" : "failing";
}

std::string WhatFailed(const trust::RefreshFailure& failure) {
  std::string text = ReasonWithCause(trust::CodeOf(failure.error.reason),
                                     failure.cause ? trust::WordOf(*failure.cause) : "");
  if (failure.why) text += ": " + trust::Explained(*failure.why);
  return text;
}

// Whether any call of a service was seen.
bool Saw(const RoadSnapshot& road, std::string_view service) {
  for (std::size_t row = 0; row < road.methods.size(); ++row) {
    const auto label = MethodRowLabel(static_cast<MethodRow>(row));
    if (road.methods[row].started > 0 && label.find(service) != std::string_view::npos) return true;
  }
  return false;
}

bool AnythingIsEnforced(const Config& config) {
  const auto& rules = config.policy->rules();
  return std::any_of(rules.begin(), rules.end(),
                     [](const auto& rule) { return rule->mode == trust::Mode::kEnforce; });
}

void AddRepositoryStates(const trust::RepositoryStatus& repository, trust::TimePoint now,
                         std::vector<std::string>& states) {
  const std::string& name = repository.id.name;
  if (repository.set.expires && *repository.set.expires <= now) {
    states.push_back(fmt::format("{}: trust metadata expired at {}", name,
                                 trust::FormatRfc3339(*repository.set.expires)));
  }
  if (repository.last_failure) {
    states.push_back(
        fmt::format("{}: refreshes fail: {}", name, WhatFailed(*repository.last_failure)));
  }
  if (repository.no_credentials) states.push_back(fmt::format("{}: no-credentials", name));
  if (repository.set.pin_instead) {
    states.push_back(fmt::format("{}: the pin is not the newest root's: pin {}", name,
                                 *repository.set.pin_instead));
  }
}

void AddFileStates(const trust::TrustFileStatus& file, trust::TimePoint now,
                   std::vector<std::string>& states) {
  if (file.until && *file.until > now) return;
  const std::string what =
      fmt::format("{} of [trust.{}], which [trust.{}] reads, ", file.name, file.from, file.trust);
  states.push_back(file.until ? fmt::format("{}ended at {}: what is new to this node is refused",
                                            what, trust::FormatRfc3339(*file.until))
                              : what + "has not been had yet: what is new to this node is refused");
}

void FillTrusts(const StatusSnapshot& snapshot, admin::v1::StatusResponse& response) {
  for (const TrustRegistries& registries : snapshot.config->registries) {
    admin::v1::Registries& out = *response.add_registries();
    out.set_trust(registries.trust);
    for (const std::string& folder : registries.where.folders) out.add_folders(folder);
    out.set_said_by(registries.where.said_by);
  }
  for (const trust::TrustFileStatus& file : snapshot.trust.files) {
    admin::v1::TrustFile& out = *response.add_files();
    out.set_trust(file.trust);
    out.set_from(file.from);
    out.set_name(file.name);
    if (file.sha256) out.set_sha256(trust::ToHex(*file.sha256));
    out.set_expires(Seconds(file.until));
  }
}

void FillUnverified(const UnverifiedLocal& unverified, admin::v1::UnverifiedLocal& out) {
  out.set_count(unverified.count);
  for (const std::string& name : unverified.first) out.add_first(name);
  for (const std::string& trust : unverified.trusts) out.add_trusts(trust);
}

void FillRules(const RuleCounters& rules, admin::v1::StatusResponse& response) {
  for (const auto& rule : rules.policy().rules()) {
    admin::v1::Rule& out = *response.add_rules();
    out.set_name(rule->name);
    out.set_action(std::string(trust::WordOf(rule->action)));
    out.set_mode(std::string(trust::WordOf(rule->mode)));
    for (const auto& pattern : rule->images) out.add_images(pattern.text());
    for (const std::string& glob : rule->namespaces) out.add_namespaces(glob);
    out.set_until(Seconds(rule->until));
    const RuleCounters::Counts counts = rules.Of(*rule);
    out.set_allowed(counts.allowed);
    out.set_denied(counts.denied);
    out.set_unavailable(counts.unavailable);
  }
}

void FillRepository(const trust::RepositoryStatus& status, admin::v1::Repository& out) {
  out.set_trust(status.trust);
  out.set_kind(status.id.kind);
  out.set_url(status.id.url);
  out.set_gun(status.id.name);
  for (const auto& [name, version_and_expiry] : status.set.files) {
    admin::v1::Role& role = *out.add_roles();
    role.set_name(name);
    role.set_version(version_and_expiry.first);
    role.set_expires(Seconds(version_and_expiry.second));
  }
  out.set_verified_at(Seconds(status.verified_at));
  out.set_next_refresh(Seconds(status.next_refresh));
  out.set_expires(Seconds(status.set.expires));
  if (status.last_failure) {
    admin::v1::Failure& failure = *out.mutable_last_failure();
    failure.set_reason(std::string(trust::CodeOf(status.last_failure->error.reason)));
    failure.set_role(status.last_failure->at);
    if (status.last_failure->cause) {
      failure.set_cause(std::string(trust::WordOf(*status.last_failure->cause)));
    }
    failure.set_detail(status.last_failure->error.detail);
    if (status.last_failure->why) {
      failure.set_explanation(trust::Explained(*status.last_failure->why));
    }
  }
  out.set_failures_in_a_row(status.failures_in_a_row);
  out.set_no_credentials(status.no_credentials);
  if (status.set.pin_instead) out.set_pin_instead(*status.set.pin_instead);
  out.set_records(status.records);
  out.set_resident_bytes(status.resident_bytes);
}

void FillSandboxImage(const StatusSnapshot& snapshot, admin::v1::SandboxImage& out) {
  out.set_image(SandboxImageName(snapshot));
  const bool configured = !snapshot.config->gate.sandbox_image.empty();
  out.set_source(out.image().empty() ? "unknown" : configured ? "configuration" : "runtime");
  if (!snapshot.sandbox) return;
  if (std::holds_alternative<trust::Allow>(snapshot.sandbox->verdict)) {
    out.set_verdict("allow");
    return;
  }
  const bool denied = std::holds_alternative<trust::Deny>(snapshot.sandbox->verdict);
  out.set_verdict(denied ? "deny" : "unavailable");
  out.set_message(trust::RefusalMessage(*snapshot.sandbox, out.image()));
}

void FillRoad(const StatusSnapshot& snapshot, admin::v1::StatusResponse& response) {
  admin::v1::Upstream& upstream = *response.mutable_upstream();
  upstream.set_path(snapshot.config->upstream);
  upstream.set_state(std::string(WordOf(snapshot.runtime)));
  if (snapshot.runtime) {
    upstream.set_name(snapshot.runtime->name);
    upstream.set_version(snapshot.runtime->version);
  }
  if (snapshot.images) upstream.set_images(*snapshot.images);
  for (std::size_t row = 0; row < snapshot.road.methods.size(); ++row) {
    const std::uint64_t started = snapshot.road.methods[row].started;
    if (started == 0) continue;
    admin::v1::Call& call = *response.add_calls();
    call.set_method(std::string(MethodRowLabel(static_cast<MethodRow>(row))));
    call.set_count(started);
  }
}

}  // namespace

std::string SandboxImageName(const StatusSnapshot& snapshot) {
  if (!snapshot.config->gate.sandbox_image.empty()) return snapshot.config->gate.sandbox_image;
  return snapshot.runtime ? snapshot.runtime->sandbox_image : "";
}

std::vector<std::string> DegradedStates(const StatusSnapshot& snapshot) {
  std::vector<std::string> states;
  if (!snapshot.config_problem.empty()) {
    states.push_back("the newest configuration was not taken: " + snapshot.config_problem);
  }
  if (!snapshot.runtime) {
    states.push_back(snapshot.runtime.error().detail);
  } else if (SandboxImageName(snapshot).empty() && AnythingIsEnforced(*snapshot.config)) {
    states.emplace_back(
        "nobody tells the name of the sandbox image, so it is not judged: set [gate] "
        "sandbox_image");
  }
  if (!snapshot.trust.state_problem.empty()) {
    states.push_back("the state folder takes no writes: " + snapshot.trust.state_problem);
  }
  if (!snapshot.trust.clock_problem.empty()) {
    states.push_back("the clock is not believed: " + snapshot.trust.clock_problem);
  }
  if (Saw(snapshot.road, "ImageService") && !Saw(snapshot.road, "RuntimeService")) {
    states.emplace_back(
        "only image calls are seen: CreateContainer goes past crivet "
        "(--image-service-endpoint alone?)");
  }
  if (snapshot.sandbox && snapshot.sandbox->mode() == trust::Mode::kEnforce &&
      !std::holds_alternative<trust::Allow>(snapshot.sandbox->verdict)) {
    states.push_back("the sandbox image is refused: " + SandboxImageName(snapshot));
  }
  for (const auto& repository : snapshot.trust.repositories) {
    AddRepositoryStates(repository, snapshot.now, states);
  }
  for (const auto& file : snapshot.trust.files) AddFileStates(file, snapshot.now, states);
  return states;
}

void ReportStatus(const StatusSnapshot& snapshot, admin::v1::StatusResponse& response) {
  response.set_version(std::string(Version()));
  response.set_started(Seconds(snapshot.started));
  response.set_config_file(snapshot.config_file);
  response.set_mode(std::string(trust::WordOf(snapshot.config->mode)));
  response.set_place(snapshot.place.in_place() ? "in place" : "beside");
  response.set_socket(snapshot.socket);
  response.set_config_loaded(Seconds(snapshot.config_loaded));
  for (std::string& state : DegradedStates(snapshot)) response.add_degraded(std::move(state));
  for (const std::string& warning : snapshot.config->warnings) response.add_warnings(warning);
  if (snapshot.unverified_local) {
    FillUnverified(*snapshot.unverified_local, *response.mutable_unverified_local());
  }
  admin::v1::Evidence& evidence = *response.mutable_evidence();
  evidence.set_bytes(snapshot.trust.evidence.bytes);
  evidence.set_max_bytes(snapshot.trust.evidence.max_bytes);
  evidence.set_repositories(snapshot.trust.evidence.repositories);
  FillRoad(snapshot, response);
  FillTrusts(snapshot, response);
  FillRules(*snapshot.rules, response);
  for (const auto& repository : snapshot.trust.repositories) {
    FillRepository(repository, *response.add_repositories());
  }
  FillSandboxImage(snapshot, *response.mutable_sandbox_image());
  const auto add = [&](std::string_view outcome, std::uint64_t count) {
    admin::v1::RefreshCount& out = *response.add_refreshes();
    out.set_outcome(std::string(outcome));
    out.set_count(count);
  };
  add("changed", snapshot.trust.refreshes.changed);
  add("unchanged", snapshot.trust.refreshes.unchanged);
  for (const auto& [reason, count] : snapshot.trust.refreshes.failed) {
    add(trust::CodeOf(reason), count);
  }
}

void ReportRefused(const WouldBeRefused& refused, admin::v1::JudgedImage& image) {
  image.set_image(refused.image);
  if (refused.local) image.set_digest(refused.local->ToString());
  image.set_container(refused.container);
  image.set_sandbox(refused.sandbox);
  if (const auto why = trust::RefusalOf(refused.decision.verdict)) {
    image.set_verdict(std::string(trust::WordOf(trust::AnswerOf(refused.decision.verdict))));
    image.set_reason(std::string(trust::CodeOf(why->reason)));
  }
  const auto& why_not_had = refused.decision.evidence.why;
  image.set_needs_secret(why_not_had && trust::LacksCredentials(*why_not_had));
  image.set_rule(refused.decision.applied.rule->name);
  image.set_message(trust::RefusalMessage(refused.decision, refused.image));
}

void ReportLookedAt(const NodeInventory& inventory, admin::v1::JudgedImage& image) {
  admin::v1::LookedAt& out = *image.mutable_looked_at();
  out.set_images(inventory.names_of.size());
  out.set_containers(inventory.containers.size());
  out.set_sandbox_image(inventory.sandbox_image);
}

}  // namespace crivet::proxy
