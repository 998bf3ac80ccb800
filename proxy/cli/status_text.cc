// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: each part of a status as lines for people and, beside them, as JSON.
#include "proxy/cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crivet/admin/v1/admin.pb.h"
#include "proxy/cli/screen.h"
#include "proxy/config/config_values.h"
#include "proxy/watch/reason_with_cause.h"
#include "trust/decide/kind.h"
#include "trust/kinds.h"

namespace crivet::proxy::cli {
namespace {

using nlohmann::json;

trust::TimePoint At(std::int64_t seconds) {
  return trust::TimePoint{std::chrono::seconds{seconds}};
}

/// The two largest units tell people enough: `3d4h`, `12m5s`.
std::string Span(std::chrono::seconds span) {
  using std::chrono::days;
  using std::chrono::hours;
  using std::chrono::minutes;
  if (span < std::chrono::seconds{0}) return "-" + Span(-span);
  if (span >= days{1}) return FormatDuration(std::chrono::floor<hours>(span));
  if (span >= hours{1}) return FormatDuration(std::chrono::floor<minutes>(span));
  return FormatDuration(span);
}

std::string Until(std::int64_t when, trust::TimePoint now) {
  if (when == 0) return "never";
  return At(when) <= now ? Span(now - At(when)) + " ago" : "in " + Span(At(when) - now);
}

json TimeAsJson(std::int64_t seconds) {
  return seconds == 0 ? json(nullptr) : json(trust::FormatRfc3339(At(seconds)));
}

template <typename Texts>
std::string Joined(const Texts& texts, std::string_view between) {
  std::string all;
  for (const auto& text : texts) {
    if (!all.empty()) all += between;
    all += text;
  }
  return all;
}

// Under one another, so that the eye finds what it looks for.
constexpr std::size_t kTextColumn = 16;
void AddField(std::string_view label, std::string_view text, ScreenText& lines) {
  lines.AddWrapped(fmt::format("{:<{}}", label, kTextColumn), text, kTextColumn);
}

void AddRules(const admin::v1::StatusResponse& status, ScreenText& lines) {
  constexpr std::size_t kNameWidth = 28;
  lines.Add(fmt::format("{:<{}}  {:<6}  {:<7}  {:>8}  {:>8}  {:>11}", "rules", kNameWidth + 2,
                        "action", "mode", "allowed", "denied", "unavailable"));
  for (const auto& rule : status.rules()) {
    std::string name = "  " + rule.name();
    if (rule.name().size() > kNameWidth) {
      lines.Add(std::move(name));
      name.clear();
    }
    lines.Add(fmt::format("{:<{}}  {:<6}  {:<7}  {:>8}  {:>8}  {:>11}", name, kNameWidth + 2,
                          rule.action(), rule.mode(), rule.allowed(), rule.denied(),
                          rule.unavailable()));
    if (rule.until() != 0) {
      lines.Add("    until " + trust::FormatRfc3339(At(rule.until())));
    }
  }
}

void AddAge(const admin::v1::Repository& repository, trust::TimePoint now, ScreenText& lines) {
  const trust::Kind* const kind = trust::FindKind(trust::AllKinds(), repository.kind());
  if (kind != nullptr && kind->asks() == trust::Kind::Asks::kNames) {
    lines.AddWrapped(
        "    ",
        fmt::format("the registry says what a tag is; nothing is refreshed, {} records",
                    repository.records()),
        4);
    return;
  }
  std::string text = repository.verified_at() == 0
                         ? "not verified yet"
                         : "verified " + Until(repository.verified_at(), now);
  if (repository.next_refresh() != 0) {
    // A refresh that is due waits for its turn.
    text += At(repository.next_refresh()) <= now
                ? ", next refresh now"
                : ", next refresh " + Until(repository.next_refresh(), now);
  }
  if (repository.expires() != 0) {
    text += (At(repository.expires()) <= now ? ", EXPIRED " : ", expires ") +
            Until(repository.expires(), now);
  }
  lines.AddWrapped("    ", fmt::format("{}, {} records", text, repository.records()), 4);
}

void AddRepositories(const admin::v1::StatusResponse& status, trust::TimePoint now,
                     ScreenText& lines) {
  lines.Add(status.repositories().empty() ? "repositories: none in use yet"
                                          : "repositories in use");
  for (const auto& repository : status.repositories()) {
    lines.AddWrapped(
        "  ",
        fmt::format("{} at [trust.{}] {}", repository.gun(), repository.trust(), repository.url()),
        4);
    std::vector<std::string> roles;
    for (const auto& role : repository.roles()) {
      roles.push_back(fmt::format("{} {}", role.name(), role.version()));
    }
    if (!roles.empty()) lines.AddWrapped("    ", "versions: " + Joined(roles, ", "), 6);
    AddAge(repository, now, lines);
    if (repository.has_last_failure()) {
      const auto& failure = repository.last_failure();
      lines.AddWrapped(
          "    ",
          fmt::format("LAST REFRESH FAILED ({} in a row): {}{}{}", repository.failures_in_a_row(),
                      ReasonWithCause(failure.reason(), failure.cause()),
                      failure.role().empty() ? "" : " at " + failure.role(),
                      failure.detail().empty() ? "" : ": " + failure.detail()),
          6);
      if (!failure.explanation().empty()) lines.AddWrapped("      ", failure.explanation(), 6);
    }
    if (repository.no_credentials()) lines.Add("    NO CREDENTIALS for refreshes");
    if (!repository.pin_instead().empty()) {
      lines.AddWrapped("    ", "the pin is not the newest root's: pin " + repository.pin_instead(),
                       6);
    }
  }
}

void AddMode(const admin::v1::StatusResponse& status, ScreenText& lines) {
  const bool audits = status.mode() == "audit";
  const auto others = std::count_if(status.rules().begin(), status.rules().end(),
                                    [&](const auto& rule) { return rule.mode() != status.mode(); });
  std::string text = audits ? "audit: nothing is refused" : "enforce";
  if (others > 0) {
    text += fmt::format(", but for {} rule{} in {} mode", others, others == 1 ? "" : "s",
                        audits ? "enforce" : "audit");
  }
  AddField("mode:", text, lines);
}

void AddSandboxImage(const admin::v1::StatusResponse& status, ScreenText& lines) {
  const auto& sandbox = status.sandbox_image();
  if (sandbox.image().empty()) {
    AddField("sandbox image:",
             status.upstream().state() == "up" ? "unknown, not judged: set [gate] sandbox_image"
             : status.upstream().state() == "failing"
                 ? "unknown while the runtime answers with errors"
                 : "unknown while the runtime does not answer",
             lines);
    return;
  }
  AddField("sandbox image:",
           fmt::format("{} (from the {}): {}", sandbox.image(), sandbox.source(),
                       sandbox.verdict() == "allow" ? "allowed"
                       : sandbox.verdict().empty()  ? "not judged"
                                                    : sandbox.message()),
           lines);
}

void AddRuntime(const admin::v1::StatusResponse& status, ScreenText& lines) {
  const auto& upstream = status.upstream();
  AddField("place:",
           fmt::format("{} the runtime's socket, serving {}",
                       status.place() == "beside" ? "beside" : "in place of", status.socket()),
           lines);
  std::string runtime =
      upstream.state() == "failing" ? fmt::format("answers with errors at {}", upstream.path())
      : upstream.name().empty()
          ? fmt::format("does not answer at {}", upstream.path())
          : fmt::format("{} {} at {}", upstream.name(), upstream.version(), upstream.path());
  if (upstream.has_images()) {
    runtime += fmt::format(", {} image{}", upstream.images(), upstream.images() == 1 ? "" : "s");
  }
  AddField("runtime:", runtime, lines);
  AddSandboxImage(status, lines);
  std::vector<std::string> calls;
  for (const auto& call : status.calls()) {
    calls.push_back(fmt::format("{} {}", call.method(), call.count()));
  }
  AddField("calls seen:", calls.empty() ? "none yet" : Joined(calls, ", "), lines);
}

// Each has been asked about, so that another look changes nothing by itself.
void AddUnverified(const admin::v1::StatusResponse& status, ScreenText& lines) {
  const admin::v1::UnverifiedLocal& unverified = status.unverified_local();
  if (unverified.count() == 0) return;
  const auto more = unverified.count() - static_cast<std::uint64_t>(unverified.first_size());
  AddField("unverified:",
           fmt::format(
               "{} of the names here, for which their registries have no signature that counts: "
               "{}{}; where those want credentials, a pull with a pod's own brings it, or auth = "
               "FILE in [trust.{}]",
               unverified.count(), Joined(unverified.first(), ", "),
               more == 0 ? "" : fmt::format(" and {} more", more),
               Joined(unverified.trusts(), "], [trust.")),
           lines);
}

void AddTrusts(const admin::v1::StatusResponse& status, trust::TimePoint now, ScreenText& lines) {
  std::string_view label = "registries:";
  for (const auto& registries : status.registries()) {
    AddField(label,
             RegistriesText(registries.trust(),
                            {registries.folders().begin(), registries.folders().end()},
                            registries.said_by()),
             lines);
    label = "";
  }
  label = "trusted files:";
  for (const auto& file : status.files()) {
    const bool over = file.expires() != 0 && At(file.expires()) <= now;
    AddField(
        label,
        fmt::format("{} of [trust.{}] for [trust.{}]: {}", file.name(), file.from(), file.trust(),
                    file.sha256().empty()
                        ? "NOT HAD YET"
                        : fmt::format("sha256 {}, {} {}", file.sha256(), over ? "ENDED" : "ends",
                                      Until(file.expires(), now))),
        lines);
    label = "";
  }
}

json RegistriesAsJson(const admin::v1::StatusResponse& status) {
  json registries = json::array();
  for (const auto& one : status.registries()) {
    registries.push_back(
        {{"trust", one.trust()},
         {"folders", std::vector<std::string>(one.folders().begin(), one.folders().end())},
         {"said_by", one.said_by()}});
  }
  return registries;
}

json FilesAsJson(const admin::v1::StatusResponse& status) {
  json files = json::array();
  for (const auto& file : status.files()) {
    files.push_back({{"trust", file.trust()},
                     {"from", file.from()},
                     {"name", file.name()},
                     {"sha256", file.sha256()},
                     {"expires", TimeAsJson(file.expires())}});
  }
  return files;
}

// Nothing of it where no rule verifies by what lies in registries.
void AddEvidence(const admin::v1::StatusResponse& status, ScreenText& lines) {
  const admin::v1::Evidence& evidence = status.evidence();
  if (evidence.repositories() == 0) return;
  constexpr double kMiB = 1024 * 1024;
  AddField("evidence:",
           fmt::format("signatures in {} repositor{} take {:.1f} of {:.0f} MiB",
                       evidence.repositories(), evidence.repositories() == 1 ? "y" : "ies",
                       static_cast<double>(evidence.bytes()) / kMiB,
                       static_cast<double>(evidence.max_bytes()) / kMiB),
           lines);
}

json EvidenceAsJson(const admin::v1::Evidence& evidence) {
  return {{"bytes", evidence.bytes()},
          {"max_bytes", evidence.max_bytes()},
          {"repositories", evidence.repositories()}};
}

json UnverifiedAsJson(const admin::v1::StatusResponse& status) {
  if (!status.has_unverified_local()) return nullptr;
  const admin::v1::UnverifiedLocal& unverified = status.unverified_local();
  return {
      {"count", unverified.count()},
      {"first", std::vector<std::string>(unverified.first().begin(), unverified.first().end())},
      {"trusts", std::vector<std::string>(unverified.trusts().begin(), unverified.trusts().end())}};
}

json RepositoryAsJson(const admin::v1::Repository& repository) {
  json roles = json::array();
  for (const auto& role : repository.roles()) {
    roles.push_back({{"role", role.name()},
                     {"version", role.version()},
                     {"expires", TimeAsJson(role.expires())}});
  }
  json out = {{"trust", repository.trust()},
              {"server", repository.url()},
              {"gun", repository.gun()},
              {"roles", std::move(roles)},
              {"verified_at", TimeAsJson(repository.verified_at())},
              {"next_refresh", TimeAsJson(repository.next_refresh())},
              {"expires", TimeAsJson(repository.expires())},
              {"last_failure", nullptr},
              {"failures_in_a_row", repository.failures_in_a_row()},
              {"no_credentials", repository.no_credentials()},
              {"pin_instead", repository.pin_instead()},
              {"records", repository.records()},
              {"resident_bytes", repository.resident_bytes()}};
  if (repository.has_last_failure()) {
    const auto& failure = repository.last_failure();
    out["last_failure"] = {{"reason", failure.reason()},
                           {"role", failure.role()},
                           {"cause", failure.cause()},
                           {"detail", failure.detail()},
                           {"explanation", failure.explanation()}};
  }
  return out;
}

json RuleAsJson(const admin::v1::Rule& rule) {
  return {
      {"name", rule.name()},
      {"action", rule.action()},
      {"mode", rule.mode()},
      {"images", std::vector<std::string>(rule.images().begin(), rule.images().end())},
      {"namespaces", std::vector<std::string>(rule.namespaces().begin(), rule.namespaces().end())},
      {"until", TimeAsJson(rule.until())},
      {"allowed", rule.allowed()},
      {"denied", rule.denied()},
      {"unavailable", rule.unavailable()}};
}

// Texts come from the runtime and from servers.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string RegistriesText(const std::string& trust, const std::vector<std::string>& folders,
                           const std::string& said_by) {
  const std::string who = said_by.empty()
                              ? "neither registry_config nor containerd's configuration "
                                "names another folder"
                              : said_by + " says so";
  if (folders.empty()) return fmt::format("[trust.{}] without hosts.toml: {}", trust, who);
  return fmt::format("[trust.{}] by hosts.toml in {}: {}", trust, fmt::join(folders, ", "), who);
}

std::vector<std::string> StatusForPeople(const admin::v1::StatusResponse& status,
                                         trust::TimePoint now, std::size_t width) {
  ScreenText lines(width);
  if (status.degraded().empty()) lines.Add("all well");
  for (const std::string& state : status.degraded()) lines.AddWrapped("DEGRADED: ", state, 10);
  lines.Add(fmt::format("crivet {}, up {}", status.version(), Span(now - At(status.started()))));
  AddMode(status, lines);
  AddField("configuration:",
           fmt::format("{}, taken {}, {} warning{}", status.config_file(),
                       trust::FormatRfc3339(At(status.config_loaded())), status.warnings().size(),
                       status.warnings().size() == 1 ? "" : "s"),
           lines);
  for (const std::string& warning : status.warnings()) lines.AddWrapped("  ", warning, 4);
  AddRuntime(status, lines);
  AddTrusts(status, now, lines);
  AddUnverified(status, lines);
  AddEvidence(status, lines);
  AddRules(status, lines);
  AddRepositories(status, now, lines);
  return std::move(lines).Take();
}

std::string StatusAsJson(const admin::v1::StatusResponse& status) {
  const auto texts = [](const auto& list) {
    return std::vector<std::string>(list.begin(), list.end());
  };
  json calls = json::object();
  for (const auto& call : status.calls()) calls[call.method()] = call.count();
  json refreshes = json::object();
  for (const auto& refresh : status.refreshes()) refreshes[refresh.outcome()] = refresh.count();
  json rules = json::array();
  for (const auto& rule : status.rules()) rules.push_back(RuleAsJson(rule));
  json repositories = json::array();
  for (const auto& repository : status.repositories()) {
    repositories.push_back(RepositoryAsJson(repository));
  }
  return Dump({{"schema", "crivet.status/1"},
               {"state", status.degraded().empty() ? "well" : "degraded"},
               {"version", status.version()},
               {"mode", status.mode()},
               {"place", status.place()},
               {"socket", status.socket()},
               {"started", TimeAsJson(status.started())},
               {"config_file", status.config_file()},
               {"config_loaded", TimeAsJson(status.config_loaded())},
               {"degraded", texts(status.degraded())},
               {"warnings", texts(status.warnings())},
               {"upstream",
                {{"path", status.upstream().path()},
                 {"state", status.upstream().state()},
                 {"name", status.upstream().name()},
                 {"version", status.upstream().version()},
                 {"images", status.upstream().has_images() ? json(status.upstream().images())
                                                           : json(nullptr)}}},
               {"calls", std::move(calls)},
               {"rules", std::move(rules)},
               {"repositories", std::move(repositories)},
               {"sandbox_image",
                {{"image", status.sandbox_image().image()},
                 {"source", status.sandbox_image().source()},
                 {"verdict", status.sandbox_image().verdict()},
                 {"message", status.sandbox_image().message()}}},
               {"unverified_local", UnverifiedAsJson(status)},
               {"registries", RegistriesAsJson(status)},
               {"trusted_files", FilesAsJson(status)},
               {"evidence", EvidenceAsJson(status.evidence())},
               {"refreshes", std::move(refreshes)}});
}

}  // namespace crivet::proxy::cli
