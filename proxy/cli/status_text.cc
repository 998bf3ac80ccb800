#include "proxy/cli/status_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crivet/admin/v1/admin.pb.h"
#include "proxy/config_values.h"

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

void AddRules(const admin::v1::StatusResponse& status, std::vector<std::string>& lines) {
  lines.emplace_back("rules");
  for (const auto& rule : status.rules()) {
    std::string line =
        fmt::format("  {:<40} {:<7} {:<8} allowed {}, denied {}, unavailable {}", rule.name(),
                    rule.action(), rule.mode(), rule.allowed(), rule.denied(), rule.unavailable());
    if (rule.until() != 0) line += ", until " + trust::FormatRfc3339(At(rule.until()));
    lines.push_back(std::move(line));
  }
}

void AddRepositories(const admin::v1::StatusResponse& status, trust::TimePoint now,
                     std::vector<std::string>& lines) {
  lines.emplace_back(status.repositories().empty() ? "repositories: none in use yet"
                                                   : "repositories in use");
  for (const auto& repository : status.repositories()) {
    lines.push_back(fmt::format("  {} at [trust.{}] {}", repository.gun(), repository.trust(),
                                repository.url()));
    std::vector<std::string> roles;
    for (const auto& role : repository.roles()) {
      roles.push_back(fmt::format("{} {}", role.name(), role.version()));
    }
    if (!roles.empty()) lines.push_back("    versions: " + Joined(roles, ", "));
    lines.push_back(fmt::format("    verified {}, next refresh {}, expires {}, {} records",
                                Until(repository.verified_at(), now),
                                Until(repository.next_refresh(), now),
                                Until(repository.expires(), now), repository.records()));
    if (repository.has_last_failure()) {
      const auto& failure = repository.last_failure();
      lines.push_back(fmt::format("    LAST REFRESH FAILED ({} in a row): {}{} at {}: {}",
                                  repository.failures_in_a_row(), failure.reason(),
                                  failure.cause().empty() ? "" : " (" + failure.cause() + ")",
                                  failure.role(), failure.detail()));
    }
    if (repository.no_credentials()) lines.emplace_back("    NO CREDENTIALS for refreshes");
    if (!repository.pin_instead().empty()) {
      lines.push_back("    the pin is not the newest root's: pin " + repository.pin_instead());
    }
  }
}

void AddRuntime(const admin::v1::StatusResponse& status, std::vector<std::string>& lines) {
  const auto& upstream = status.upstream();
  lines.push_back(fmt::format("runtime: {} {} at {} ({})", upstream.name(), upstream.version(),
                              upstream.path(), upstream.state()));
  const auto& sandbox = status.sandbox_image();
  lines.push_back(sandbox.image().empty()
                      ? "sandbox image: unknown, not judged"
                      : fmt::format("sandbox image: {} (from the {}): {}", sandbox.image(),
                                    sandbox.source(),
                                    sandbox.verdict() == "allow" ? "allowed" : sandbox.message()));
  std::vector<std::string> calls;
  for (const auto& call : status.calls()) {
    calls.push_back(fmt::format("{} {}", call.method(), call.count()));
  }
  lines.push_back("calls seen: " + (calls.empty() ? "none yet" : Joined(calls, ", ")));
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
                           {"detail", failure.detail()}};
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

std::vector<std::string> StatusForPeople(const admin::v1::StatusResponse& status,
                                         trust::TimePoint now) {
  std::vector<std::string> lines;
  lines.push_back(status.degraded().empty() ? "all well"
                                            : "DEGRADED: " + Joined(status.degraded(), "; "));
  lines.push_back(
      fmt::format("crivet {}, up {}", status.version(), Span(now - At(status.started()))));
  lines.push_back(fmt::format("configuration: {}, taken {}, {} warnings", status.config_file(),
                              trust::FormatRfc3339(At(status.config_loaded())),
                              status.warnings().size()));
  for (const std::string& warning : status.warnings()) lines.push_back("  " + warning);
  AddRuntime(status, lines);
  AddRules(status, lines);
  AddRepositories(status, now, lines);
  return lines;
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
  return Dump({{"version", status.version()},
               {"started", TimeAsJson(status.started())},
               {"config_file", status.config_file()},
               {"config_loaded", TimeAsJson(status.config_loaded())},
               {"degraded", texts(status.degraded())},
               {"warnings", texts(status.warnings())},
               {"upstream",
                {{"path", status.upstream().path()},
                 {"state", status.upstream().state()},
                 {"name", status.upstream().name()},
                 {"version", status.upstream().version()}}},
               {"calls", std::move(calls)},
               {"rules", std::move(rules)},
               {"repositories", std::move(repositories)},
               {"sandbox_image",
                {{"image", status.sandbox_image().image()},
                 {"source", status.sandbox_image().source()},
                 {"verdict", status.sandbox_image().verdict()},
                 {"message", status.sandbox_image().message()}}},
               {"refreshes", std::move(refreshes)}});
}

std::string RefusedForPeople(const admin::v1::JudgedImage& image) {
  return fmt::format("{:<10} {}: {}", image.container().empty() ? "image" : "container",
                     image.container().empty() ? image.image() : image.container(),
                     image.message());
}

std::string RefusedAsJson(const admin::v1::JudgedImage& image) {
  return Dump({{"image", image.image()},
               {"digest", image.digest()},
               {"container", image.container()},
               {"verdict", image.verdict()},
               {"reason", image.reason()},
               {"rule", image.rule()},
               {"message", image.message()}});
}

}  // namespace crivet::proxy::cli
