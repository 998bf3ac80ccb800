// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/proxy/temporary_folder.h"
#include "trust/base/fetch_cause.h"

namespace crivet::proxy {
namespace {

using nlohmann::json;

const trust::Sha256Digest kDigest = *trust::Sha256Digest::FromHex(std::string(64, 'a'));
const trust::Sha256Digest kOther = *trust::Sha256Digest::FromHex(std::string(64, 'b'));

AuditEntry Entry(trust::Verdict verdict) {
  auto rule = std::make_shared<trust::Rule>();
  rule->name = "acme";
  AuditEntry entry{.time = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)),
                   .method = "/runtime.v1.ImageService/PullImage",
                   .reference = "acme/web:1",
                   .canonical = "docker.io/acme/web:1",
                   .decision = {std::move(verdict), {rule, {}}, {}},
                   .latency = std::chrono::microseconds(42),
                   .pod = {"shop", "web-0", "2f1c"},
                   .peer = {.pid = 7, .uid = 0, .gid = 0},
                   .local = std::nullopt,
                   .would_pin = std::nullopt,
                   .moved = std::nullopt};
  return entry;
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(AuditLogTest)

BOOST_AUTO_TEST_CASE(SeveralTrusts_ThoseOnWhichTheVerdictStandsAreNamed) {
  auto entry = Entry(trust::Allow{kDigest});
  auto rule = std::make_shared<trust::Rule>();
  rule->members.resize(3);
  for (std::size_t i = 0; i < 3; ++i) rule->members[i].trust = "t" + std::to_string(i);
  entry.decision.applied.rule = rule;
  entry.decision.member = 1;
  BOOST_TEST(json::parse(AuditLine(entry))["trusts"] == json({"t1"}));
  entry.decision.member = 0;
  entry.decision.others = {{1, {}}, {2, {}}};
  BOOST_TEST(json::parse(AuditLine(entry))["trusts"] == json({"t0", "t1", "t2"}));
}

BOOST_AUTO_TEST_CASE(Allowed_SaysWhatVouchedForWhat) {
  auto entry = Entry(trust::Allow{kDigest});
  auto& evidence = entry.decision.evidence;
  evidence.parts.push_back(std::make_shared<const trust::SignedPart>(
      trust::SignedPart{.name = "targets",
                        .version = 87,
                        .expires = trust::TimePoint(std::chrono::seconds(1'800'000'000)),
                        .signed_by = {"a key"},
                        .threshold = 1}));
  evidence.vouching = {"targets"};
  evidence.verified_at = trust::TimePoint(std::chrono::seconds(1'699'999'940));
  const json line = json::parse(AuditLine(entry));
  BOOST_TEST(line["time"] == "2023-11-14T22:13:20.000Z");
  BOOST_TEST(line["method"] == "/runtime.v1.ImageService/PullImage");
  BOOST_TEST(line["reference"] == "acme/web:1");
  BOOST_TEST(line["canonical"] == "docker.io/acme/web:1");
  BOOST_TEST(line["digest"] == kDigest.ToString());
  BOOST_TEST(line["verdict"] == "allow");
  BOOST_TEST(!line.contains("reason"));
  BOOST_TEST(line["rule"] == "acme");
  BOOST_TEST(line["mode"] == "enforce");
  BOOST_TEST(line["vouching"] == json::array({"targets"}));
  BOOST_TEST(line["roles"][0]["version"] == 87);
  BOOST_TEST(line["roles"][0]["keys"][0] == "a key");
  BOOST_TEST(line["metadata_age_s"] == 60);
  BOOST_TEST(line["latency_us"] == 42);
  BOOST_TEST(line["pod"]["namespace"] == "shop");
  BOOST_TEST(line["pod"]["name"] == "web-0");
  BOOST_TEST(line["pod"]["uid"] == "2f1c");
  BOOST_TEST(line["peer"]["pid"] == 7);
}

BOOST_AUTO_TEST_CASE(Refused_SaysTheReason) {
  const json line = json::parse(
      AuditLine(Entry(trust::Refusal(trust::Reason::kTagNotSigned, "tag is not signed"))));
  BOOST_TEST(line["verdict"] == "deny");
  BOOST_TEST(line["reason"] == "tag-not-signed");
  BOOST_TEST(line["found"] == "tag is not signed");
  BOOST_TEST(!line.contains("digest"));
  const json away =
      json::parse(AuditLine(Entry(trust::Refusal(trust::Reason::kExpired, "expired"))));
  BOOST_TEST(away["verdict"] == "unavailable");
  BOOST_TEST(!away.contains("why"));
}

BOOST_AUTO_TEST_CASE(Refused_ForAServersSake_SaysTheCauseInFull) {
  auto entry = Entry(trust::Refusal(trust::Reason::kUnreachable, "cannot be reached (tls)"));
  entry.decision.evidence.why = std::make_shared<const trust::FetchCause>(
      trust::FetchCause{.kind = trust::FetchCause::Kind::kTls,
                        .host = "notary.example",
                        .said = "certificate has expired"});
  const json line = json::parse(AuditLine(entry));
  BOOST_TEST(line["found"] == "cannot be reached (tls)");
  BOOST_TEST(line["why"] == "notary.example: certificate has expired");
}

BOOST_AUTO_TEST_CASE(AuditMode_SaysWhatItWouldPinAndWhetherTheTagMoved) {
  auto entry = Entry(trust::Allow{kDigest});
  entry.would_pin = kDigest;
  entry.local = kOther;
  entry.moved = true;
  const json line = json::parse(AuditLine(entry));
  BOOST_TEST(line["would_pin"] == kDigest.ToString());
  BOOST_TEST(line["local"] == kOther.ToString());
  BOOST_TEST(line["moved"] == true);
}

BOOST_AUTO_TEST_CASE(BreakGlass_IsNamedOnEveryUse) {
  auto entry = Entry(trust::Allow{});
  auto rule = std::make_shared<trust::Rule>(*entry.decision.applied.rule);
  rule->action = trust::Action::kAllow;
  rule->until = trust::TimePoint(std::chrono::seconds(1'800'000'000));
  rule->reason = "INC-4711";
  entry.decision.applied.rule = rule;
  const json line = json::parse(AuditLine(entry));
  BOOST_TEST(line["break_glass"] == "INC-4711");
  BOOST_TEST(line["until"] == "2027-01-15T08:00:00Z");
}

BOOST_AUTO_TEST_CASE(CallersText_IsCutAndEscaped) {
  auto entry = Entry(trust::Allow{kDigest});
  entry.reference = std::string(100'000, 'x');
  entry.canonical = "new\nline \x1b[31m \xff \xe2\x80\xae";
  const std::string text = AuditLine(entry);
  BOOST_TEST(text.size() < 4096U);
  for (const char c : text) BOOST_TEST((c >= 0x20 && c < 0x7f));
  BOOST_TEST(json::parse(text)["reference"].get<std::string>().size() == 515U);
}

BOOST_AUTO_TEST_CASE(File_HoldsOneLineForEachDecisionAndIsAppendedTo) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/audit.log";
  for (int run = 0; run < 2; ++run) {
    auto log = AuditLog::Create({.target = path, .on_drop = [] {}}).value();
    for (int i = 0; i < 100; ++i) log->Write(Entry(trust::Allow{kDigest}));
  }
  const std::string content = Content(path);
  BOOST_TEST(std::count(content.begin(), content.end(), '\n') == 200);
  BOOST_TEST(json::accept(content.substr(0, content.find('\n'))));
  struct stat status {};
  BOOST_TEST(stat(path.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07) == 0U);
}

BOOST_AUTO_TEST_CASE(RetriesOfAPod_AreWrittenAndToldApart) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/audit.log";
  {
    auto log = AuditLog::Create({.target = path, .on_drop = [] {}}).value();
    auto entry = Entry(trust::Refusal(trust::Reason::kTagNotSigned, "tag is not signed"));
    for (int i = 0; i < 3; ++i) log->Write(entry);
    entry.pod.uid = "other";
    log->Write(entry);
    entry.pod.uid.clear();
    log->Write(entry);
  }
  std::ifstream file(path);
  std::vector<json> repeats;
  for (std::string text; std::getline(file, text);) {
    const json line = json::parse(text);
    BOOST_TEST(line["schema"] == "crivet.audit/1");
    repeats.push_back(line.contains("repeat") ? line["repeat"] : json(nullptr));
  }
  BOOST_TEST(json(repeats) == json({0, 1, 2, 0, nullptr}));
}

BOOST_AUTO_TEST_CASE(Reopen_FollowsARotatedFile) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/audit.log";
  {
    auto log = AuditLog::Create({.target = path, .on_drop = [] {}}).value();
    BOOST_TEST(rename(path.c_str(), (path + ".1").c_str()) == 0);
    log->Reopen();
    log->Write(Entry(trust::Allow{kDigest}));
  }
  BOOST_TEST(!Content(path).empty());
}

BOOST_AUTO_TEST_CASE(FileThatCannotBeOpened_IsAnError) {
  const auto log = AuditLog::Create({.target = "/nowhere/audit.log", .on_drop = [] {}});
  BOOST_TEST(!log.has_value());
}

// Whoever may write to the log's folder chooses what stands there.
BOOST_AUTO_TEST_CASE(NotARegularFile_IsRefusedAtOnce) {
  TemporaryFolder folder;
  const std::string victim = folder.path() + "/victim";
  std::ofstream(victim) << "a line\n";
  const std::string link = folder.path() + "/link";
  BOOST_REQUIRE(symlink(victim.c_str(), link.c_str()) == 0);
  const std::string unread = folder.path() + "/unread";
  const std::string read = folder.path() + "/read";
  BOOST_REQUIRE(mkfifo(unread.c_str(), 0600) == 0);
  BOOST_REQUIRE(mkfifo(read.c_str(), 0600) == 0);
  const OwnedFd reader(open(read.c_str(), O_RDONLY | O_NONBLOCK));
  for (const std::string& path : {link, unread, read, std::string("/dev/null"), folder.path()}) {
    BOOST_TEST_CONTEXT(path) {
      const auto log = AuditLog::Create({.target = path});
      BOOST_REQUIRE(!log.has_value());
      BOOST_TEST(log.error().detail.starts_with("cannot open the audit log " + path + ": "));
    }
  }
  BOOST_TEST(Content(victim) == "a line\n");
}

BOOST_AUTO_TEST_CASE(DiskThatHangs_BlocksNobodyAndWhatDoesNotFitIsCounted) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/pipe";
  std::signal(SIGPIPE, SIG_IGN);  // as in the daemon
  BOOST_REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  // Nobody reads it before the end, so that the writer hangs as on a disk that does.
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  std::atomic<int> drops{0};
  const auto open_pipe = [](const std::string& pipe) {
    return trust::Result<OwnedFd>(OwnedFd(open(pipe.c_str(), O_WRONLY | O_CLOEXEC)));
  };
  auto log =
      AuditLog::Create({.target = path, .on_drop = [&] { ++drops; }, .open = open_pipe}).value();
  const std::size_t lines = 3 * AuditLog::kMaxQueued;
  for (std::size_t i = 0; i < lines; ++i) log->Write(Entry(trust::Allow{kDigest}));
  BOOST_TEST(drops > 0);
  close(reader);  // the writer's next write fails, and so it ends
  log.reset();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
