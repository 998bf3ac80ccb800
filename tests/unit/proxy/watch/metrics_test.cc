// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/metrics.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace crivet::proxy {
namespace {

const trust::TimePoint kNow{std::chrono::seconds(1'700'000'000)};

trust::Decision DecisionWith(trust::Verdict verdict, trust::Mode mode) {
  auto rule = std::make_shared<trust::Rule>();
  rule->mode = mode;
  return {std::move(verdict), {rule, {}}, {}};
}

Exposition EmptyExposition() {
  return {.gate = Metrics().Read(), .trust = {}, .road = {}, .process = {}, .version = "1.2.3"};
}

trust::RepositoryStatus Repository(const std::string& gun) {
  trust::RepositoryStatus status;
  status.id = {"notary", "https://notary.example", gun};
  status.trust = "acme";
  status.set.files = {{"timestamp", {7, kNow + std::chrono::hours(24)}},
                      {"snapshot", {3, kNow + std::chrono::hours(72)}},
                      {"targets", {3, kNow + std::chrono::hours(48)}}};
  status.set.renewed_by_server = "timestamp";
  status.set.expires = kNow + std::chrono::hours(24);
  status.verified_at = kNow - std::chrono::seconds(60);
  return status;
}

bool HasLine(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(MetricsTest)

BOOST_AUTO_TEST_CASE(Configuration_ThatIsNotTheNewest_IsSeen) {
  auto exposition = EmptyExposition();
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_config_last_reload_successful 1"));
  exposition.config_is_newest = false;
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_config_last_reload_successful 0"));
}

BOOST_AUTO_TEST_CASE(ATagThatWentBack_IsCounted_WhicheverTrustOfTheRuleSaysSo) {
  Metrics metrics;
  auto decision = DecisionWith(trust::Allow{}, trust::Mode::kEnforce);
  metrics.CountDecision(decision);
  decision.others.push_back({1, {}});
  decision.others.back().evidence.tag_went_back = kNow;
  metrics.CountDecision(decision);
  decision.evidence.tag_went_back = kNow;
  metrics.CountDecision(decision);
  auto exposition = EmptyExposition();
  exposition.gate = metrics.Read();
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_tags_went_back_total 2"));
}

BOOST_AUTO_TEST_CASE(MembersThatDisagree_AreCounted_WheneverThatWasFound) {
  Metrics metrics;
  auto decision = DecisionWith(trust::Allow{}, trust::Mode::kEnforce);
  metrics.CountDecision(decision);
  decision.disagree.push_back({1, trust::Sha256Digest(trust::Sha256Of("another image"))});
  metrics.CountDecision(decision);
  auto exposition = EmptyExposition();
  exposition.gate = metrics.Read();
  exposition.trust.members_disagreed = 2;
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_members_disagree_total 3"));
}

BOOST_AUTO_TEST_CASE(NamesThatNothingVouchesFor_AreShown_AndThatNobodyHasLooked) {
  auto exposition = EmptyExposition();
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_unverified_local -1"));
  exposition.unverified_local = 3;
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_unverified_local 3"));
}

BOOST_AUTO_TEST_CASE(WhatEvidenceTakesOfTheDisk_IsShown_WithWhatItMay) {
  auto exposition = EmptyExposition();
  exposition.trust.evidence = {.bytes = 4096, .max_bytes = 8192, .repositories = 1};
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_evidence_bytes 4096"));
  BOOST_TEST(HasLine(RenderMetrics(exposition), "crivet_evidence_max_bytes 8192"));
}

BOOST_AUTO_TEST_CASE(Decisions_AreCountedByVerdictReasonAndMode) {
  Metrics metrics;
  metrics.CountDecision(DecisionWith(trust::Allow{}, trust::Mode::kEnforce));
  metrics.CountDecision(
      DecisionWith(trust::Refusal(trust::Reason::kTagNotSigned, ""), trust::Mode::kEnforce));
  metrics.CountDecision(
      DecisionWith(trust::Refusal(trust::Reason::kExpired, ""), trust::Mode::kAudit));
  auto exposition = EmptyExposition();
  exposition.gate = metrics.Read();
  const std::string text = RenderMetrics(exposition);
  BOOST_TEST(
      HasLine(text, R"(crivet_decisions_total{verdict="allow",reason="",mode="enforce"} 1)"));
  BOOST_TEST(HasLine(
      text, R"(crivet_decisions_total{verdict="deny",reason="tag-not-signed",mode="enforce"} 1)"));
  BOOST_TEST(HasLine(
      text, R"(crivet_decisions_total{verdict="unavailable",reason="expired",mode="audit"} 1)"));
  BOOST_TEST(HasLine(
      text, R"(crivet_decisions_total{verdict="unavailable",reason="expired",mode="enforce"} 0)"));
}

BOOST_AUTO_TEST_CASE(Histogram_BucketsAreCumulativeAndEndWithAll) {
  Metrics metrics;
  metrics.Observe(Phase::kDecide, std::chrono::microseconds(1));
  metrics.Observe(Phase::kDecide, std::chrono::microseconds(3));
  metrics.Observe(Phase::kDecide, std::chrono::minutes(2));
  auto exposition = EmptyExposition();
  exposition.gate = metrics.Read();
  const std::string text = RenderMetrics(exposition);
  BOOST_TEST(HasLine(text, R"(crivet_phase_seconds_bucket{phase="decide",le="1e-06"} 1)"));
  BOOST_TEST(HasLine(text, R"(crivet_phase_seconds_bucket{phase="decide",le="5e-06"} 2)"));
  BOOST_TEST(HasLine(text, R"(crivet_phase_seconds_bucket{phase="decide",le="30"} 2)"));
  BOOST_TEST(HasLine(text, R"(crivet_phase_seconds_bucket{phase="decide",le="+Inf"} 3)"));
  BOOST_TEST(HasLine(text, R"(crivet_phase_seconds_count{phase="decide"} 3)"));
  BOOST_TEST(HasLine(text, R"(crivet_phase_seconds_sum{phase="decide"} 120.000004)"));
}

BOOST_AUTO_TEST_CASE(Repository_ShowsItsTimesAndMissingCredentials) {
  auto exposition = EmptyExposition();
  auto repository = Repository("docker.io/acme/web");
  repository.no_credentials = true;
  exposition.trust.repositories = {repository};
  const std::string text = RenderMetrics(exposition);
  const std::string labels = R"({trust="acme",gun="docker.io/acme/web"} )";
  BOOST_TEST(HasLine(text, "crivet_repository_verified_timestamp_seconds" + labels + "1699999940"));
  BOOST_TEST(HasLine(text, "crivet_repository_expiry_timestamp_seconds" + labels + "1700086400"));
  BOOST_TEST(
      HasLine(text, "crivet_repository_signed_expiry_timestamp_seconds" + labels + "1700172800"));
  BOOST_TEST(HasLine(text, "crivet_repository_no_credentials" + labels + "1"));
}

// Its publisher renews all of it, with lives as short as a day: that is nothing to sign by hand.
BOOST_AUTO_TEST_CASE(Repository_WhoseServerRenewsNothing_HasNoExpiryOfWhatIsSignedByHand) {
  auto exposition = EmptyExposition();
  auto repository = Repository("*");
  repository.set.renewed_by_server.clear();
  exposition.trust.repositories = {repository};
  const std::string text = RenderMetrics(exposition);
  BOOST_TEST(HasLine(text, R"(crivet_repository_expiry_timestamp_seconds{trust="acme",gun="*"} )"
                           "1700086400"));
  BOOST_TEST(text.find("crivet_repository_signed_expiry_timestamp_seconds{") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(RepositoryThatNeverVerified_HasNoLabelOfItsOwn) {
  auto exposition = EmptyExposition();
  auto repository = Repository("docker.io/made/up/by/a/pod");
  repository.trust = "certificates";
  repository.verified_at.reset();
  exposition.trust.repositories = {repository};
  const std::string text = RenderMetrics(exposition);
  BOOST_TEST(text.find("made/up") == std::string::npos);
  BOOST_TEST(HasLine(text, "crivet_repositories 1"));
  BOOST_TEST(HasLine(text,
                     "crivet_trust_certificate_expiry_timestamp_seconds{trust=\"certificates\"} "
                     "1700086400"));
}

BOOST_AUTO_TEST_CASE(FileOfAnotherTrust_ShowsWhenItEnds_AndNoughtWhereItWasNeverHad) {
  auto exposition = EmptyExposition();
  exposition.trust.files = {{"cosign", "roots", "trusted_root.json", trust::Sha256{},
                             trust::TimePoint{std::chrono::seconds{1'700'086'400}}},
                            {"other", "roots", "other.json"}};
  const std::string text = RenderMetrics(exposition);
  const std::string name = "crivet_trust_file_expiry_timestamp_seconds";
  BOOST_TEST(HasLine(
      text, name + R"({trust="cosign",from="roots",file="trusted_root.json"} )" + "1700086400"));
  BOOST_TEST(HasLine(text, name + R"({trust="other",from="roots",file="other.json"} 0)"));
}

BOOST_AUTO_TEST_CASE(Refreshes_ShowNoOutcomeThatTheyCannotHave) {
  auto exposition = EmptyExposition();
  std::string text = RenderMetrics(exposition);
  BOOST_TEST(HasLine(text, R"(crivet_refreshes_total{outcome="rollback"} 0)"));
  BOOST_TEST(text.find(R"(outcome="denied")") == std::string::npos);
  BOOST_TEST(text.find(R"(outcome="not-a-reference")") == std::string::npos);
  exposition.trust.refreshes.failed[trust::Reason::kWithdrawn] = 1;
  BOOST_TEST(
      HasLine(RenderMetrics(exposition), R"(crivet_refreshes_total{outcome="withdrawn"} 1)"));
}

BOOST_AUTO_TEST_CASE(Process_IsReadFromTheKernel) {
  auto exposition = EmptyExposition();
  exposition.process = ReadProcessFigures(kNow);
  BOOST_TEST(exposition.process.cpu_seconds > 0);
  BOOST_TEST(exposition.process.resident_bytes > 1024U * 1024);
  BOOST_TEST(exposition.process.virtual_bytes > exposition.process.resident_bytes);
  BOOST_TEST(exposition.process.max_fds > exposition.process.open_fds);
  const std::ifstream one_more("/dev/null");
  BOOST_TEST(ReadProcessFigures(kNow).open_fds == exposition.process.open_fds + 1);
  BOOST_TEST(HasLine(RenderMetrics(exposition), "process_start_time_seconds 1700000000"));
}

BOOST_AUTO_TEST_CASE(Calls_AreLabelledByTheMethodTableAlone) {
  RoadCounters counters;
  const auto table = MethodTable::Create({}).value();
  counters.Started(table.Find("/runtime.v1.ImageService/PullImage").row);
  counters.Ended(table.Find("/runtime.v1.ImageService/PullImage").row, CallOutcome::kAnswered);
  counters.Started(table.Find("/a.callers/Text").row);
  counters.Ended(table.Find("/a.callers/Text").row, CallOutcome::kRefused);
  auto exposition = EmptyExposition();
  exposition.road = counters.Snapshot();
  const std::string text = RenderMetrics(exposition);
  BOOST_TEST(HasLine(
      text,
      R"(crivet_calls_total{method="/runtime.v1.ImageService/PullImage",outcome="answered"} 1)"));
  BOOST_TEST(text.find("a.callers") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(Text_IsWellFormed) {
  auto exposition = EmptyExposition();
  exposition.trust.repositories = {Repository("docker.io/acme/web")};
  exposition.trust.refreshes.failed[trust::Reason::kUnreachable] = 3;
  exposition.road.upstream = UpstreamState::kUp;
  const std::string text = RenderMetrics(exposition);
  const std::regex sample(R"([a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? -?[0-9.e+-]+)");
  std::istringstream lines(text);
  std::set<std::string> typed;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      BOOST_TEST(typed.insert(name).second, name);
    }
    if (line.starts_with("#")) continue;
    BOOST_TEST(std::regex_match(line, sample), line);
    BOOST_TEST(std::regex_replace(line, std::regex(R"([ {].*)"), "").size() > 7U);
  }
  BOOST_TEST(text.back() == '\n');
}

// A dashboard or an alert about a metric that does not exist would stay silent for ever.
BOOST_AUTO_TEST_CASE(DashboardAndAlerts_UseMetricsThatExist) {
  auto exposition = EmptyExposition();
  exposition.trust.repositories = {Repository("docker.io/acme/web")};
  const std::string text = RenderMetrics(exposition);
  const std::string folder = std::string(CRIVET_SOURCE_DIR) + "/systemd/observability/";
  for (const char* name : {"dashboard.json", "alerts.yaml"}) {
    std::ifstream file(folder + name);
    const std::string content{std::istreambuf_iterator<char>(file),
                              std::istreambuf_iterator<char>()};
    BOOST_REQUIRE(!content.empty());
    const std::regex metric(R"((crivet|process)_[a-z_]+)");
    for (auto it = std::sregex_iterator(content.begin(), content.end(), metric);
         it != std::sregex_iterator(); ++it) {
      std::string used = it->str();
      if (used.ends_with("_bucket")) used.resize(used.size() - 7);
      BOOST_TEST(text.find("# TYPE " + used + " ") != std::string::npos, used);
    }
  }
  std::ifstream dashboard(folder + "dashboard.json");
  BOOST_TEST(nlohmann::json::accept(dashboard));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
