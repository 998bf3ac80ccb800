// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/status_report.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "crivet/admin/v1/admin.pb.h"
#include "proxy/cli/screen.h"
#include "proxy/cli/status_text.h"
#include "trust/base/fetch_cause.h"

namespace crivet::proxy {
namespace {

using nlohmann::json;
constexpr trust::TimePoint kNow{std::chrono::seconds{1'800'000'000}};

std::shared_ptr<const Config> ConfigOf(const std::string& more) {
  auto config = ParseConfig(
      "[default]\naction = \"deny\"\n[[rule]]\nname = \"all\"\nimages = [\"x.example/**\"]\naction "
      "= \"allow\"\n" +
          more,
      "f");
  BOOST_REQUIRE(config);
  return std::make_shared<const Config>(std::move(*config));
}

StatusSnapshot Well() {
  StatusSnapshot snapshot;
  snapshot.now = kNow;
  snapshot.started = kNow - std::chrono::hours{76};
  snapshot.config_file = "/etc/crivet/config.toml";
  snapshot.config_loaded = snapshot.started;
  snapshot.config = ConfigOf("");
  snapshot.rules = std::make_shared<RuleCounters>(snapshot.config->policy);
  snapshot.road.methods.resize(MethodRowCount());
  snapshot.runtime = RuntimeFacts{"containerd", "1.7.24", "registry.k8s.io/pause:3.9", {}};
  return snapshot;
}

trust::RepositoryStatus RepositoryOf() {
  trust::RepositoryStatus status;
  status.id = {"notary", "https://notary.example", "x.example/web"};
  status.trust = "acme";
  status.set.files["targets"] = {7, kNow + std::chrono::hours{24}};
  status.set.expires = kNow + std::chrono::hours{24};
  status.verified_at = kNow - std::chrono::minutes{3};
  status.next_refresh = kNow + std::chrono::minutes{2};
  return status;
}

void See(StatusSnapshot& snapshot, std::string_view method) {
  for (std::size_t row = 0; row < snapshot.road.methods.size(); ++row) {
    if (MethodRowLabel(static_cast<MethodRow>(row)).find(method) != std::string_view::npos) {
      snapshot.road.methods[row].started = 1;
      return;
    }
  }
  BOOST_FAIL("no such method");
}

std::string Degraded(const StatusSnapshot& snapshot) {
  std::string all;
  for (const std::string& state : DegradedStates(snapshot)) all += state + "\n";
  return all;
}

BOOST_AUTO_TEST_SUITE(StatusReportTest)

BOOST_AUTO_TEST_CASE(Degraded_WhenAllIsWell_IsEmpty) {
  auto snapshot = Well();
  snapshot.trust.repositories.push_back(RepositoryOf());
  See(snapshot, "ImageService/PullImage");
  See(snapshot, "RuntimeService/CreateContainer");
  BOOST_TEST(Degraded(snapshot) == "");
}

// The road's connection may be up where nobody answers: the report must not say both.
BOOST_AUTO_TEST_CASE(Runtime_StateAndDegradedLineAgree) {
  for (const auto& [reason, state] : {std::pair{trust::Reason::kUnreachable, "down"},
                                      std::pair{trust::Reason::kMalformed, "failing"}}) {
    auto snapshot = Well();
    snapshot.road.upstream = UpstreamState::kUp;
    snapshot.runtime = trust::Fail(reason, "what is wrong");
    admin::v1::StatusResponse response;
    ReportStatus(snapshot, response);
    BOOST_TEST(response.upstream().state() == state);
    BOOST_TEST(Degraded(snapshot).find("what is wrong") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(Degraded_NamesEachTroubleOnce) {
  auto snapshot = Well();
  snapshot.config_problem = "f:1:1: unknown key";
  snapshot.runtime = trust::Fail(trust::Reason::kUnreachable,
                                 "the runtime does not answer at /run/containerd/containerd.sock");
  snapshot.trust.state_problem = "No space left on device";
  snapshot.trust.clock_problem = "behind the last refresh";
  auto repository = RepositoryOf();
  repository.set.expires = kNow - std::chrono::seconds{1};
  repository.no_credentials = true;
  repository.set.pin_instead = std::string(64, 'b');
  repository.last_failure.emplace();
  repository.last_failure->error = {trust::Reason::kUnreachable, "x"};
  repository.last_failure->at = "timestamp";
  repository.last_failure->cause = trust::NetworkCause::kTls;
  repository.last_failure->why = std::make_shared<const trust::FetchCause>(
      trust::FetchCause{.kind = trust::FetchCause::Kind::kTls,
                        .host = "notary.example",
                        .said = "certificate has expired"});
  snapshot.trust.repositories.push_back(repository);
  BOOST_TEST(Degraded(snapshot) ==
             "the newest configuration was not taken: f:1:1: unknown key\n"
             "the runtime does not answer at /run/containerd/containerd.sock\n"
             "the state folder takes no writes: No space left on device\n"
             "the clock is not believed: behind the last refresh\n"
             "x.example/web: trust metadata expired at 2027-01-15T07:59:59Z\n"
             "x.example/web: refreshes fail: unreachable (tls): notary.example: certificate has "
             "expired\n"
             "x.example/web: no-credentials\n"
             "x.example/web: the pin is not the newest root's: pin " +
                 std::string(64, 'b') + "\n");
}

BOOST_AUTO_TEST_CASE(ImageCallsAlone_AreDegraded) {
  auto snapshot = Well();
  See(snapshot, "ImageService/PullImage");
  BOOST_TEST(Degraded(snapshot).find("CreateContainer goes past crivet") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(UnknownSandboxImage_IsDegraded) {
  auto snapshot = Well();
  snapshot.runtime->sandbox_image.clear();
  BOOST_TEST(Degraded(snapshot).find("sandbox_image") != std::string::npos);
  snapshot.config = std::make_shared<const Config>(
      ParseConfig("mode = \"audit\"\n[default]\naction = \"deny\"\n", "f").value());
  BOOST_TEST(Degraded(snapshot) == "");
  snapshot.config = ConfigOf("[gate]\nsandbox_image = \"x.example/pause:1\"\n");
  BOOST_TEST(SandboxImageName(snapshot) == "x.example/pause:1");
  BOOST_TEST(Degraded(snapshot) == "");
}

BOOST_AUTO_TEST_CASE(RefusedSandboxImage_IsDegradedAndExplained) {
  auto snapshot = Well();
  trust::Decision decision;
  decision.applied.rule = snapshot.config->policy->rules().back();
  decision.verdict = trust::Deny{trust::Reason::kDenied, "refused by the default"};
  snapshot.sandbox = decision;
  BOOST_TEST(Degraded(snapshot) == "the sandbox image is refused: registry.k8s.io/pause:3.9\n");
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  BOOST_TEST(response.sandbox_image().verdict() == "deny");
  BOOST_TEST(response.sandbox_image().source() == "runtime");
  BOOST_TEST(response.sandbox_image().message() ==
             "SignatureValidationFailed: registry.k8s.io/pause:3.9: refused by the default "
             "[default, denied]");
}

BOOST_AUTO_TEST_CASE(Text_BeginsWithWhatIsDegraded) {
  auto snapshot = Well();
  snapshot.trust.repositories.push_back(RepositoryOf());
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  auto lines = cli::StatusForPeople(response, kNow, cli::kScreenWidth);
  BOOST_TEST(lines.at(0) == "all well");
  BOOST_TEST(lines.at(1).ends_with(", up 3d4h"));
  response.add_degraded("one");
  response.add_degraded("two");
  lines = cli::StatusForPeople(response, kNow, cli::kScreenWidth);
  BOOST_TEST(lines.at(0) == "DEGRADED: one");
  BOOST_TEST(lines.at(1) == "DEGRADED: two");
  BOOST_TEST(std::count(lines.begin(), lines.end(),
                        "    verified 3m ago, next refresh in 2m, expires in 1d, 0 records") == 1);
}

std::vector<std::string> TextOf(const StatusSnapshot& snapshot) {
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  return cli::StatusForPeople(response, kNow, cli::kScreenWidth);
}

bool Says(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

BOOST_AUTO_TEST_CASE(FileOfAnotherTrust_HasALine_AndIsDegradedWhereItEndedOrWasNeverHad) {
  auto snapshot = Well();
  trust::TrustFileStatus file{"cosign", "roots", "trusted_root.json", trust::Sha256{},
                              kNow + std::chrono::hours{24}};
  const std::string zeros(64, '0');
  snapshot.trust.files = {file};
  BOOST_TEST(Degraded(snapshot) == "");
  const auto joined = [&] {
    std::string all;
    for (const std::string& line : TextOf(snapshot))
      all += line.substr(line.find_first_not_of(' ')) + " ";
    return all;
  };
  BOOST_TEST(joined().find("trusted_root.json of [trust.roots] for [trust.cosign]: sha256 " +
                           zeros + ", ends in 1d ") != std::string::npos);
  file.until = kNow;
  snapshot.trust.files = {file, {"cosign", "roots", "other.json"}};
  BOOST_TEST(
      Degraded(snapshot) ==
      "trusted_root.json of [trust.roots], which [trust.cosign] reads, ended at "
      "2027-01-15T08:00:00Z: what is new to this node is refused\n"
      "other.json of [trust.roots], which [trust.cosign] reads, has not been had yet: what is "
      "new to this node is refused\n");
  BOOST_TEST(joined().find(zeros + ", ENDED 0s ago ") != std::string::npos);
  BOOST_TEST(joined().find("other.json of [trust.roots] for [trust.cosign]: NOT HAD YET ") !=
             std::string::npos);
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  const json files = json::parse(cli::StatusAsJson(response)).at("trusted_files");
  BOOST_TEST(files.at(0).at("sha256") == zeros);
  BOOST_TEST(files.at(0).at("expires") == "2027-01-15T08:00:00Z");
  BOOST_TEST(files.at(1).at("sha256") == "");
  BOOST_TEST(files.at(1).at("expires").is_null());
}

BOOST_AUTO_TEST_CASE(Registries_AreALineForEachTrust_WithWhoSaysSo) {
  auto snapshot = Well();
  auto config = *snapshot.config;
  config.registries = {{"a", {{"/x", "/y"}, "/c.toml"}},
                       {"b", {{}, kRegistryConfig}},
                       {"c", {{"/etc/containerd/certs.d"}}}};
  snapshot.config = std::make_shared<const Config>(config);
  const auto lines = TextOf(snapshot);
  BOOST_TEST(Says(lines, "registries:     [trust.a] by hosts.toml in /x, /y: /c.toml says so"));
  BOOST_TEST(Says(lines, "                [trust.b] without hosts.toml: registry_config says so"));
  BOOST_TEST(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("[trust.c] by hosts.toml in /etc/containerd/certs.d: neither") !=
           std::string::npos;
  }));
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  const json registries = json::parse(cli::StatusAsJson(response)).at("registries");
  BOOST_TEST(registries.at(0).at("folders").size() == 2U);
  BOOST_TEST(registries.at(2).at("said_by") == "");
}

BOOST_AUTO_TEST_CASE(NamesThatNothingVouchesFor_AreOneLine_AndNoDegradedState) {
  auto snapshot = Well();
  const auto says_so = [&] {
    const auto lines = TextOf(snapshot);
    return std::any_of(lines.begin(), lines.end(),
                       [](const std::string& line) { return line.starts_with("unverified:"); });
  };
  BOOST_TEST(!says_so());
  snapshot.unverified_local = UnverifiedLocal{};
  BOOST_TEST(!says_so());
  snapshot.unverified_local = UnverifiedLocal{5, {"x.example/a:1", "x.example/b:1"}, {"acme"}};
  BOOST_TEST(says_so());
  BOOST_TEST(Degraded(snapshot) == "");
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  const auto shown = json::parse(cli::StatusAsJson(response));
  BOOST_TEST(shown.at("unverified_local").at("count") == 5);
  BOOST_TEST(shown.at("unverified_local").at("trusts").at(0) == "acme");
}

BOOST_AUTO_TEST_CASE(WhatEvidenceTakesOfTheDisk_IsOneLine_WhereThereIsAny) {
  auto snapshot = Well();
  const auto line = [&]() -> std::string {
    for (const std::string& one : TextOf(snapshot)) {
      if (one.starts_with("evidence:")) return one;
    }
    return "";
  };
  BOOST_TEST(line() == "");
  snapshot.trust.evidence = {
      .bytes = 3 << 20, .max_bytes = std::size_t{512} << 20, .repositories = 2};
  BOOST_TEST(line().find("in 2 repositories take 3.0 of 512 MiB") != std::string::npos);
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  BOOST_TEST(json::parse(cli::StatusAsJson(response)).at("evidence").at("bytes") == 3 << 20);
}

BOOST_AUTO_TEST_CASE(WhatLacksCredentialsAlone_IsToldApart) {
  WouldBeRefused refused;
  refused.image = "x.example/web:1";
  refused.decision.applied.rule = Well().config->policy->rules().back();
  refused.decision.verdict = trust::Refusal(trust::Reason::kUnreachable, "");
  const auto needs_secret = [&] {
    admin::v1::JudgedImage image;
    ReportRefused(refused, image);
    return image.needs_secret();
  };
  BOOST_TEST(!needs_secret());
  trust::FetchCause cause{.kind = trust::FetchCause::Kind::kStatus, .status = 401};
  refused.decision.evidence.why = std::make_shared<const trust::FetchCause>(cause);
  BOOST_TEST(needs_secret());
  cause.status = 500;
  refused.decision.evidence.why = std::make_shared<const trust::FetchCause>(cause);
  BOOST_TEST(!needs_secret());
}

BOOST_AUTO_TEST_CASE(Text_SaysWhereCrivetStandsAndHowManyImagesThereAre) {
  auto snapshot = Well();
  snapshot.socket = "/run/crivet/crivet.sock";
  snapshot.images = 14;
  auto lines = TextOf(snapshot);
  BOOST_TEST(Says(lines, "mode:           enforce"));
  BOOST_TEST(
      Says(lines, "place:          beside the runtime's socket, serving /run/crivet/crivet.sock"));
  BOOST_TEST(Says(
      lines, "runtime:        containerd 1.7.24 at /run/containerd/containerd.sock, 14 images"));
  snapshot.place.moved_upstream = "/run/containerd/upstream.sock";
  snapshot.socket = "/run/containerd/containerd.sock";
  lines = TextOf(snapshot);
  BOOST_TEST(Says(lines, "place:          in place of the runtime's socket, serving"));
}

BOOST_AUTO_TEST_CASE(Text_OfALongTruth_FitsAScreen) {
  auto snapshot = Well();
  snapshot.socket = "/run/crivet/crivet.sock";
  snapshot.config_problem =
      "/etc/crivet/config.toml:14:1: unknown key \"listne\" in [default] (did "
      "you mean \"listen\"?) and many more words than fit one line";
  auto repository = RepositoryOf();
  repository.last_failure.emplace();
  repository.last_failure->error = {trust::Reason::kUnreachable,
                                    "connect to notary.acme.example port 443 after 5 ms: refused"};
  repository.last_failure->at = "timestamp";
  repository.set.pin_instead = std::string(64, 'b');
  snapshot.trust.repositories.push_back(repository);
  for (const char* method : {"PullImage", "ImageStatus", "CreateContainer", "RunPodSandbox"}) {
    See(snapshot, method);
  }
  for (const std::string& line : TextOf(snapshot)) {
    BOOST_TEST_CONTEXT(line) { BOOST_TEST(line.size() <= 80U); }
  }
}

// What searches it, a script or grep, finds a sentence whole.
BOOST_AUTO_TEST_CASE(Text_WithoutAScreen_KeepsItsLinesWhole) {
  auto snapshot = Well();
  auto repository = RepositoryOf();
  repository.set.pin_instead = std::string(64, 'b');
  snapshot.trust.repositories.push_back(repository);
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  std::string words;
  for (int i = 0; i < 40; ++i) words += "many words ";
  response.add_degraded(words + "end");
  const auto lines = cli::StatusForPeople(response, kNow, cli::kNoScreen);
  BOOST_TEST(Says(lines, "DEGRADED: " + words + "end"));
  BOOST_TEST(
      Says(lines, "    the pin is not the newest root's: pin " + *repository.set.pin_instead));
}

BOOST_AUTO_TEST_CASE(CauseThatIsTheReason_IsSaidOnce) {
  auto snapshot = Well();
  auto repository = RepositoryOf();
  repository.last_failure.emplace();
  repository.last_failure->error = {trust::Reason::kUnreachable, "refused"};
  repository.last_failure->cause = trust::NetworkCause::kUnreachable;
  repository.failures_in_a_row = 2;
  snapshot.trust.repositories.push_back(repository);
  const auto lines = TextOf(snapshot);
  BOOST_TEST(Says(lines, "    LAST REFRESH FAILED (2 in a row): unreachable: refused"));
  for (const std::string& line : lines) {
    BOOST_TEST(line.find("unreachable (unreachable)") == std::string::npos, line);
  }
}

BOOST_AUTO_TEST_CASE(RuntimeThatIsAway_IsNotCalledUpInTheSameBreath) {
  auto snapshot = Well();
  snapshot.runtime = trust::Fail(trust::Reason::kUnreachable,
                                 "the runtime does not answer at /run/containerd/containerd.sock");
  // As the road's last call left it.
  snapshot.road.upstream = UpstreamState::kUp;
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  BOOST_TEST(response.upstream().state() == "down");
  BOOST_TEST(!response.upstream().has_images());
  const auto lines = TextOf(snapshot);
  BOOST_TEST(Says(lines, "runtime:        does not answer at /run/containerd/containerd.sock"));
  BOOST_TEST(Says(lines, "sandbox image:  unknown while the runtime does not answer"));
}

BOOST_AUTO_TEST_CASE(RuntimeThatAnswersWithAnError_IsNotSaidToBeSilent) {
  auto snapshot = Well();
  snapshot.runtime = trust::Fail(trust::Reason::kMalformed, "a runtime answers at x, but");
  const auto lines = TextOf(snapshot);
  BOOST_TEST(Says(lines, "runtime:        answers with errors at /run/containerd/containerd.sock"));
  for (const std::string& line : lines) {
    BOOST_TEST(line.find("does not answer") == std::string::npos, line);
  }
}

BOOST_AUTO_TEST_CASE(RepositoryNeverVerified_DoesNotExpireNever) {
  auto snapshot = Well();
  auto repository = RepositoryOf();
  repository.verified_at.reset();
  repository.set.expires.reset();
  snapshot.trust.repositories.push_back(repository);
  BOOST_TEST(Says(TextOf(snapshot), "    not verified yet, next refresh in 2m, 0 records"));
}

// Which kind it is decides what is said, and not what happens to be missing.
BOOST_AUTO_TEST_CASE(NeverVerifiedAndNothingPlanned_IsNotYetTheRegistrysWord) {
  auto snapshot = Well();
  auto repository = RepositoryOf();
  repository.verified_at.reset();
  repository.next_refresh.reset();
  repository.set.expires.reset();
  snapshot.trust.repositories.push_back(repository);
  BOOST_TEST(Says(TextOf(snapshot), "    not verified yet, 0 records"));
  snapshot.trust.repositories.front().id.kind = "sigstore";
  BOOST_TEST(Says(TextOf(snapshot),
                  "    the registry says what a tag is; nothing is refreshed, 0 records"));
}

BOOST_AUTO_TEST_CASE(SandboxImageThatAuditWouldRefuse_IsNotDegraded) {
  auto snapshot = Well();
  snapshot.config = ConfigOf("[gate]\n");
  auto rule = std::make_shared<trust::Rule>(*snapshot.config->policy->rules().back());
  rule->mode = trust::Mode::kAudit;
  trust::Decision decision;
  decision.applied.rule = rule;
  decision.verdict = trust::Deny{trust::Reason::kDenied, "refused by the default"};
  snapshot.sandbox = decision;
  BOOST_TEST(Degraded(snapshot) == "");
}

BOOST_AUTO_TEST_CASE(Json_HasCountersRolesAndTimes) {
  auto snapshot = Well();
  snapshot.trust.repositories.push_back(RepositoryOf());
  See(snapshot, "ImageService/PullImage");
  const auto counters = std::make_shared<RuleCounters>(snapshot.config->policy);
  trust::Decision decision;
  decision.applied.rule = snapshot.config->policy->rules().front();
  decision.verdict = trust::Allow{};
  counters->Count(decision);
  snapshot.rules = counters;
  admin::v1::StatusResponse response;
  ReportStatus(snapshot, response);
  const json out = json::parse(cli::StatusAsJson(response));
  BOOST_TEST(out.at("degraded").size() == 1U);
  BOOST_TEST(out.at("upstream").at("name") == "containerd");
  BOOST_TEST(out.at("calls").size() == 1U);
  BOOST_TEST(out.at("rules")[0].at("name") == "all");
  BOOST_TEST(out.at("rules")[0].at("allowed") == 1);
  BOOST_TEST(out.at("rules")[1].at("name") == "default");
  const json& repository = out.at("repositories")[0];
  BOOST_TEST(repository.at("roles")[0].at("version") == 7);
  BOOST_TEST(repository.at("expires") == "2027-01-16T08:00:00Z");
  BOOST_TEST(repository.at("last_failure").is_null());
}

BOOST_AUTO_TEST_CASE(Reload_KeepsTheCountsOfRulesThatKeepTheirName) {
  const auto config = ConfigOf("");
  RuleCounters before(config->policy);
  trust::Decision decision;
  decision.applied.rule = config->policy->rules().front();
  decision.verdict = trust::Unavailable{trust::Reason::kExpired, "x"};
  before.Count(decision);
  const auto next = ConfigOf("[[rule]]\nimages = [\"y.example/a\"]\naction = \"deny\"\n");
  const RuleCounters after(next->policy, &before);
  BOOST_TEST(after.Of(*next->policy->rules()[0]).unavailable == 1U);
  BOOST_TEST(after.Of(*next->policy->rules()[1]).unavailable == 0U);
  // A decision that began under the old rules counts for what is the same now, and for nobody else.
  RuleCounters late(next->policy);
  late.Count(decision);
  BOOST_TEST(late.Of(*next->policy->rules()[0]).unavailable == 1U);
  trust::Rule other = *config->policy->rules().front();
  other.action = trust::Action::kDeny;
  decision.applied.rule = std::make_shared<const trust::Rule>(other);
  late.Count(decision);
  BOOST_TEST(late.Of(*next->policy->rules()[0]).unavailable == 1U);
}

BOOST_AUTO_TEST_CASE(ARuleWhoseTrustHasAnotherFile_CountsOn) {
  const auto config = ConfigOf("");
  RuleCounters counters(config->policy);
  const auto& rule = config->policy->rules().front();
  trust::Decision decision;
  decision.applied.rule = std::make_shared<const trust::Rule>(*rule);
  decision.verdict = trust::Allow{};
  counters.Count(decision);
  BOOST_TEST(counters.Of(*rule).allowed == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
