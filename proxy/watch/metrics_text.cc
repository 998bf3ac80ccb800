// SPDX-License-Identifier: Apache-2.0

// The text that Prometheus reads. Names follow its rules: base units, `_total` for counters.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "proxy/watch/metrics.h"
#include "trust/base/reason.h"

namespace crivet::proxy {
namespace {

// A node in use has dozens; a scrape stays a scrape.
constexpr std::size_t kMaxRepositories = 2000;

/// Builds the exposition, a family of samples at a time.
class Text {
 public:
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename Value>
  void Sample(std::string_view labels, Value value, std::string_view suffix = "") {
    if (labels.empty()) {
      out_ += fmt::format("{}{} {}\n", name_, suffix, value);
    } else {
      out_ += fmt::format("{}{}{{{}}} {}\n", name_, suffix, labels, value);
    }
  }
  template <typename Value>
  void Single(std::string_view name, std::string_view type, std::string_view help, Value value) {
    Family(name, type, help);
    Sample("", value);
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
  std::string name_;
};

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

constexpr std::array<std::string_view, Metrics::kModes> kModeWords = {"enforce", "audit"};
constexpr std::array<std::string_view, Metrics::kPhases> kPhaseWords = {"decide", "upstream",
                                                                        "tag"};

void AddDecisions(const Metrics::Snapshot& gate, Text& text) {
  text.Family("crivet_decisions_total", "counter",
              "Decisions about images, by verdict, reason and the rule's mode.");
  for (std::size_t mode = 0; mode < Metrics::kModes; ++mode) {
    text.Sample(fmt::format("verdict=\"allow\",reason=\"\",mode=\"{}\"", kModeWords[mode]),
                gate.allowed[mode]);
    for (std::size_t index = 0; index < Metrics::kReasons; ++index) {
      const trust::Reason reason = trust::kAllReasons[index];
      text.Sample(fmt::format("verdict=\"{}\",reason=\"{}\",mode=\"{}\"",
                              trust::WordOf(trust::AnswerFor(reason)), trust::CodeOf(reason),
                              kModeWords[mode]),
                  gate.refused[index][mode]);
    }
  }
}

void AddPhases(const Metrics::Snapshot& gate, Text& text) {
  constexpr double kMicrosPerSecond = 1e6;
  text.Family("crivet_phase_seconds", "histogram",
              "Time in a gated call: deciding, the runtime's own work, giving the tag back.");
  for (std::size_t phase = 0; phase < Metrics::kPhases; ++phase) {
    const Histogram::Snapshot& histogram = gate.phases[phase];
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
      count += histogram.buckets[i];
      const std::string bound =
          i < Histogram::kBounds.size()
              ? fmt::format("{}", static_cast<double>(Histogram::kBounds[i]) / kMicrosPerSecond)
              : "+Inf";
      text.Sample(fmt::format("phase=\"{}\",le=\"{}\"", kPhaseWords[phase], bound), count,
                  "_bucket");
    }
    const std::string label = fmt::format("phase=\"{}\"", kPhaseWords[phase]);
    text.Sample(label, static_cast<double>(histogram.sum_us) / kMicrosPerSecond, "_sum");
    text.Sample(label, count, "_count");
  }
}

void AddGate(const Metrics::Snapshot& gate, std::uint64_t disagreed_later, Text& text) {
  AddDecisions(gate, text);
  AddPhases(gate, text);
  text.Single("crivet_tags_moved_total", "counter",
              "Audit mode: tags whose digest in the registry is not the signed one.", gate.moved);
  text.Single("crivet_tags_went_back_total", "counter",
              "Answers for a tag at which the registry has what was signed before what this node "
              "has seen there.",
              gate.went_back);
  text.Single(
      "crivet_members_disagree_total", "counter",
      "Pulls under any_of of a tag that another trust of the rule signs for another digest.",
      gate.members_disagree + disagreed_later);
  text.Single("crivet_internal_errors_total", "counter", "Calls that a defect of crivet ended.",
              gate.internal_errors);
  text.Single("crivet_audit_lines_dropped_total", "counter",
              "Audit lines that could not be written.", gate.audit_drops);
  text.Single("crivet_other_content_total", "counter",
              "Containers and sandboxes that the runtime made from other content than what was "
              "judged, and that were removed.",
              gate.other_content);
  text.Single("crivet_sandboxes_unjudged_total", "counter",
              "Sandboxes whose image could not be judged, because nobody tells its name.",
              gate.unjudged_sandboxes);
}

void AddRoad(const RoadSnapshot& road, Text& text) {
  text.Family("crivet_calls_total", "counter", "Calls that ended, by method and outcome.");
  for (std::size_t row = 0; row < road.methods.size(); ++row) {
    // A method that nobody calls would only cost space: there are a hundred of them.
    if (road.methods[row].started == 0) continue;
    for (std::size_t outcome = 0; outcome < kCallOutcomes; ++outcome) {
      text.Sample(fmt::format("method=\"{}\",outcome=\"{}\"",
                              Escaped(MethodRowLabel(static_cast<MethodRow>(row))),
                              NameOf(static_cast<CallOutcome>(outcome))),
                  road.methods[row].ended[outcome]);
    }
  }
  text.Single("crivet_calls_open", "gauge", "Calls in flight.", road.calls_open);
  text.Single("crivet_connections_open", "gauge", "Connections of clients.", road.connections_open);
  text.Single("crivet_connections_accepted_total", "counter", "Connections of clients so far.",
              road.connections_accepted);
  text.Single("crivet_connections_misbehaved_total", "counter",
              "Connections ended because they broke the protocol or a limit.",
              road.connections_misbehaved);
  text.Single("crivet_accept_pauses_total", "counter",
              "Times that accepting had to pause for want of descriptors.", road.accept_pauses);
  text.Single("crivet_upstream_up", "gauge",
              "Whether the last attempt to reach the runtime succeeded (-1: none yet).",
              road.upstream == UpstreamState::kNotTried ? -1
              : road.upstream == UpstreamState::kUp     ? 1
                                                        : 0);
}

// What only a decision can end with; were it a refresh all the same, it would be shown then.
constexpr bool IsOfDecisionsAlone(trust::Reason reason) {
  using trust::Reason;
  switch (reason) {
    case Reason::kTagNotSigned:
    case Reason::kDigestNotSigned:
    case Reason::kDigestMismatch:
    case Reason::kSignersDisagree:
    case Reason::kDenied:
    case Reason::kNotAReference:
    case Reason::kWithdrawn:
    case Reason::kTooOld:
      return true;
    default:
      return false;
  }
}

void AddTrust(const trust::ServiceStatus& trust, Text& text) {
  text.Family("crivet_refreshes_total", "counter", "Refreshes of repositories, by how they ended.");
  text.Sample("outcome=\"changed\"", trust.refreshes.changed);
  text.Sample("outcome=\"unchanged\"", trust.refreshes.unchanged);
  // Every outcome from the start: a rate over a series that has just appeared is nothing.
  for (const trust::Reason reason : trust::kAllReasons) {
    const auto failed = trust.refreshes.failed.find(reason);
    const std::uint64_t count = failed == trust.refreshes.failed.end() ? 0 : failed->second;
    if (count == 0 && IsOfDecisionsAlone(reason)) continue;
    text.Sample(fmt::format("outcome=\"{}\"", trust::CodeOf(reason)), count);
  }
  text.Single("crivet_state_writable", "gauge", "Whether the state folder takes writes.",
              trust.state_problem.empty() ? 1 : 0);
  text.Single("crivet_clock_believed", "gauge", "Whether the machine's clock is believed.",
              trust.clock_problem.empty() ? 1 : 0);

  // A repository gets labels once its metadata has verified: no series by asking for names.
  std::vector<const trust::RepositoryStatus*> verified;
  for (const auto& repository : trust.repositories) {
    if (repository.verified_at && verified.size() < kMaxRepositories) {
      verified.push_back(&repository);
    }
  }
  text.Single("crivet_repositories", "gauge", "Repositories that were asked for.",
              trust.repositories.size());
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    text.Family(name, "gauge", help);
    for (const auto* repository : verified) {
      const std::optional<std::int64_t> sample = value(*repository);
      if (!sample) continue;
      text.Sample(fmt::format("trust=\"{}\",gun=\"{}\"", Escaped(repository->trust),
                              Escaped(repository->id.name)),
                  *sample);
    }
  };
  using Sample = std::optional<std::int64_t>;
  const auto time = [](trust::TimePoint at) { return Sample(at.time_since_epoch().count()); };
  each("crivet_repository_verified_timestamp_seconds", "When the set was last verified.",
       [&](const trust::RepositoryStatus& r) { return time(*r.verified_at); });
  each("crivet_repository_expiry_timestamp_seconds", "When the set expires.",
       [&](const trust::RepositoryStatus& r) {
         return r.set.expires ? time(*r.set.expires) : Sample();
       });
  each("crivet_repository_signed_expiry_timestamp_seconds",
       "When the first role but the timestamp expires, which the publisher has to sign again; of "
       "servers that renew the timestamp by themselves.",
       [&](const trust::RepositoryStatus& r) {
         Sample first;
         if (r.set.renewed_by_server.empty()) return first;
         for (const auto& [file, version_and_expiry] : r.set.files) {
           const Sample at = time(version_and_expiry.second);
           if (file != r.set.renewed_by_server && (!first || *at < *first)) first = at;
         }
         return first;
       });
  each("crivet_repository_refresh_failures", "Refreshes that failed in a row.",
       [](const trust::RepositoryStatus& r) {
         return Sample(static_cast<std::int64_t>(r.failures_in_a_row));
       });
  each("crivet_repository_no_credentials", "Whether refreshes have no working credentials.",
       [](const trust::RepositoryStatus& r) { return Sample(r.no_credentials ? 1 : 0); });
  each("crivet_repository_pin_outdated", "Whether the pin is no longer the newest root's.",
       [](const trust::RepositoryStatus& r) { return Sample(r.set.pin_instead ? 1 : 0); });
}

// Of trusts that have certificates of their own: a name that somebody makes up is a repository of
// theirs, too, so none of those gets labels.
void AddCertificates(const trust::ServiceStatus& trust, Text& text) {
  std::map<std::string, std::int64_t> first_of;
  for (const auto& repository : trust.repositories) {
    if (repository.verified_at || !repository.set.expires) continue;
    const std::int64_t end = repository.set.expires->time_since_epoch().count();
    const auto [first, added] = first_of.try_emplace(repository.trust, end);
    if (!added) first->second = std::min(first->second, end);
  }
  text.Family("crivet_trust_certificate_expiry_timestamp_seconds", "gauge",
              "When the first of the certificates ends that a trust names, and that has not ended "
              "yet; once an image was asked about.");
  for (const auto& [label, end] : first_of) {
    text.Sample(fmt::format("trust=\"{}\"", Escaped(label)), end);
  }
}

// Alerts want a sample where there is no file, too.
void AddFiles(const trust::ServiceStatus& trust, Text& text) {
  text.Family("crivet_trust_file_expiry_timestamp_seconds", "gauge",
              "When a file ends that one trust reads out of another's repository; 0 where it has "
              "not been had.");
  for (const trust::TrustFileStatus& file : trust.files) {
    text.Sample(fmt::format("trust=\"{}\",from=\"{}\",file=\"{}\"", Escaped(file.trust),
                            Escaped(file.from), Escaped(file.name)),
                file.until ? file.until->time_since_epoch().count() : std::int64_t{0});
  }
}

// By the names that every client library gives them.
void AddProcess(const ProcessFigures& process, Text& text) {
  text.Single("process_cpu_seconds_total", "counter", "Processor time, user and system.",
              process.cpu_seconds);
  text.Single("process_resident_memory_bytes", "gauge", "Memory that is resident.",
              process.resident_bytes);
  text.Single("process_virtual_memory_bytes", "gauge", "Address space.", process.virtual_bytes);
  text.Single("process_open_fds", "gauge", "Descriptors that are open.", process.open_fds);
  text.Single("process_max_fds", "gauge", "Descriptors that may be open.", process.max_fds);
  text.Single("process_start_time_seconds", "gauge", "When the process started.",
              process.started.time_since_epoch().count());
}

}  // namespace

std::string RenderMetrics(const Exposition& exposition) {
  Text text;
  text.Family("crivet_build_info", "gauge", "The release.");
  text.Sample(fmt::format("version=\"{}\"", Escaped(exposition.version)), 1);
  text.Single("crivet_config_last_reload_successful", "gauge",
              "Whether the newest configuration is in force (0: it is wrong, an older one is).",
              exposition.config_is_newest ? 1 : 0);
  AddGate(exposition.gate, exposition.trust.members_disagreed, text);
  text.Single("crivet_unverified_local", "gauge",
              "Names of images on this node that rules verify by what lies in registries, and that "
              "nothing vouches for (-1: not looked at yet).",
              exposition.unverified_local);
  text.Single("crivet_evidence_bytes", "gauge",
              "What signatures that were verified beside images take on the disk.",
              static_cast<std::int64_t>(exposition.trust.evidence.bytes));
  text.Single("crivet_evidence_max_bytes", "gauge", "What they may take.",
              static_cast<std::int64_t>(exposition.trust.evidence.max_bytes));
  AddRoad(exposition.road, text);
  AddTrust(exposition.trust, text);
  AddCertificates(exposition.trust, text);
  AddFiles(exposition.trust, text);
  AddProcess(exposition.process, text);
  return text.Take();
}

}  // namespace crivet::proxy
