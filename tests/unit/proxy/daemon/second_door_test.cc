// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/second_door.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/proxy/fake_decider.h"
#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

const trust::Sha256Digest kOne = trust::Sha256Digest::FromHex(std::string(64, '1')).value();
const trust::Sha256Digest kTwo = trust::Sha256Digest::FromHex(std::string(64, '2')).value();
constexpr char kName[] = "r.example/web:1";

using Judged = std::optional<trust::Result<SecondDoor::Verdict>>;

/// A FakeDecider for which some servers are silent: whoever asks about them waits, unless he asks
/// memory alone.
class DeciderWithSilence final : public FakeDecider {
 public:
  void Silence(std::string_view registries) { silent_ = registries; }
  void Decide(trust::Question question, std::function<void(trust::Decision)> done) override {
    const bool waits = question.reach != trust::Question::Reach::kOffline;
    if (waits && question.reference.domain().ends_with(silent_)) {
      waiting.push_back([this, question = std::move(question), done = std::move(done)]() mutable {
        FakeDecider::Decide(std::move(question), std::move(done));
      });
    } else {
      FakeDecider::Decide(std::move(question), std::move(done));
    }
  }
  void EndSilence() {
    silent_ = kNone;
    for (const auto& go_on : std::exchange(waiting, {})) go_on();
  }

  std::vector<std::function<void()>> waiting;

 private:
  static constexpr std::string_view kNone = "?";
  std::string_view silent_ = kNone;
};

struct Door {
  // Nothing is asked any more when the door goes.
  ~Door() { decider.EndSilence(); }
  SecondDoor::Verdict Judge(const std::string& name, const trust::Sha256Digest& digest = kOne) {
    return Ask(name, digest.ToString())->value().value();
  }
  /// What is answered, when it is.
  std::shared_ptr<Judged> Ask(const std::string& name,
                              const std::string& digest = kOne.ToString()) {
    auto judged = std::make_shared<Judged>();
    door.Judge(name, digest, [judged](trust::Result<SecondDoor::Verdict> verdict) {
      BOOST_TEST(!judged->has_value());
      judged->emplace(std::move(verdict));
    });
    return judged;
  }
  /// Every line of the audit log; ends it.
  std::string Audit() {
    log.reset();
    std::ifstream in(folder.path() + "/audit.jsonl");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryFolder folder;
  DeciderWithSilence decider;
  PullTickets tickets;
  Metrics metrics;
  std::unique_ptr<AuditLog> log =
      AuditLog::Create({.target = folder.path() + "/audit.jsonl"}).value();
  SecondDoor door{decider, tickets, *log, metrics};
};

std::size_t Lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

BOOST_AUTO_TEST_SUITE(SecondDoorTest)

BOOST_AUTO_TEST_CASE(SignedDigest_IsAllowed) {
  Door node;
  node.decider.Verify("r.example/**");
  node.decider.Sign(kName, kOne);
  BOOST_CHECK(node.Judge(kName).answer == trust::Answer::kAllow);
  const std::string audit = node.Audit();
  BOOST_TEST(Lines(audit) == 1U);
  BOOST_TEST(audit.find("\"method\":\"image-verifier\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(AnotherDigestThanTheSigned_IsDenied) {
  Door node;
  node.decider.Verify("r.example/**");
  node.decider.Sign(kName, kOne);
  const auto verdict = node.Judge(kName, kTwo);
  BOOST_CHECK(verdict.answer == trust::Answer::kDeny);
  BOOST_TEST(verdict.message.starts_with("SignatureValidationFailed: r.example/web:1: "));
  BOOST_TEST(verdict.message.find("digest-mismatch") != std::string::npos);
  BOOST_TEST(node.Audit().find("\"verdict\":\"deny\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Pod_AndCredentials_AreUnknown) {
  Door node;
  trust::Rule& rule = node.decider.Allow("r.example/**");
  rule.namespaces = {"*"};
  BOOST_CHECK(node.Judge(kName).answer == trust::Answer::kDeny);
  const auto asked = node.decider.Asked();
  BOOST_REQUIRE(asked.size() == 1U);
  BOOST_CHECK(std::holds_alternative<trust::NoNamespace>(asked[0].pod_namespace));
  BOOST_TEST(!asked[0].credentials.has_value());
  BOOST_CHECK(asked[0].named == kOne);
}

BOOST_AUTO_TEST_CASE(AuditMode_AllowsAndSaysWhatItWouldHaveDone) {
  Door node;
  node.decider.Verify("r.example/**").mode = trust::Mode::kAudit;
  node.decider.Sign(kName, kOne);
  BOOST_CHECK(node.Judge("r.example/web:2").answer == trust::Answer::kAllow);
  BOOST_CHECK(node.Judge(kName, kTwo).answer == trust::Answer::kAllow);
  const std::string audit = node.Audit();
  BOOST_TEST(audit.find("\"verdict\":\"deny\"") != std::string::npos);
  BOOST_TEST(audit.find("\"moved\":true") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(WhatIsUnknown_IsUnavailable) {
  Door node;
  node.decider.Verify("r.example/**");
  node.decider.Sign(kName, kOne);
  node.decider.Expire();
  BOOST_CHECK(node.Judge(kName).answer == trust::Answer::kUnavailable);
}

BOOST_AUTO_TEST_CASE(Ticket_IsNotJudgedAgain) {
  Door node;
  const auto ticket = node.tickets.Hand("r.example/web@" + kOne.ToString());
  BOOST_CHECK(node.Judge("r.example/web@" + kOne.ToString()).answer == trust::Answer::kAllow);
  BOOST_TEST(node.decider.Asked().empty());
  BOOST_TEST(node.Audit() == "");
}

BOOST_AUTO_TEST_CASE(WhatIsNoReference_IsTheDefaultsToRefuse) {
  Door node;
  for (const std::string& name :
       std::vector<std::string>{"", "Not A Name", "sha256:" + std::string(64, '1')}) {
    BOOST_CHECK(node.Judge(name).answer == trust::Answer::kDeny);
  }
  Door open;
  open.decider.Default().action = trust::Action::kAllow;
  BOOST_CHECK(open.Judge("Not A Name").answer == trust::Answer::kAllow);
}

BOOST_AUTO_TEST_CASE(WhatIsNoDigest_IsAnError) {
  Door node;
  for (const char* digest : {"", "sha512:00", "sha256:12"}) {
    const auto judged = node.Ask(kName, digest)->value();
    BOOST_REQUIRE(!judged);
    BOOST_CHECK(judged.error().reason == trust::Reason::kMalformed);
  }
}

BOOST_AUTO_TEST_CASE(PullsFromSilentServers_TakeNoPlaceOfOthers) {
  Door node;
  node.decider.Verify("**");
  node.decider.Sign(kName, kOne);
  node.decider.Sign("slow.silent/web:1", kOne);
  node.decider.Silence("silent");
  constexpr int kAttempts = 2 * static_cast<int>(WaitingPulls::kMost);
  for (int i = 0; i < kAttempts; ++i) {
    const std::string number = std::to_string(i);
    (void)node.Ask("stranger.silent/web:" + number);
    (void)node.Ask("stranger.silent/web" + number + ":1");
  }
  BOOST_TEST(node.decider.waiting.size() < WaitingPulls::kMost);
  BOOST_CHECK(node.Judge(kName).answer == trust::Answer::kAllow);

  // Whoever has to wait too has a place.
  const auto other = node.Ask("slow.silent/web:1");
  BOOST_TEST(!other->has_value());
  node.decider.EndSilence();
  BOOST_CHECK(other->value()->answer == trust::Answer::kAllow);
}

BOOST_AUTO_TEST_CASE(WithoutAPlace_MemoryAnswers) {
  Door node;
  node.decider.Verify("**");
  node.decider.Sign("r.silent/known:1", kOne);
  node.decider.Silence("silent");
  for (int i = 0; i < static_cast<int>(WaitingPulls::kMost); ++i) {
    (void)node.Ask("r.silent/web" + std::to_string(i) + ":1");
  }
  BOOST_CHECK(node.Judge("r.silent/known:1").answer == trust::Answer::kAllow);
  const auto refused = node.Judge("r.silent/unknown:1");
  BOOST_CHECK(refused.answer == trust::Answer::kUnavailable);
  BOOST_TEST(refused.message.starts_with("RegistryUnavailable: r.silent/unknown:1: "));
  BOOST_TEST(refused.message.find("too-many") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(WithoutAPlace_AuditModeStillAllows) {
  Door node;
  node.decider.Verify("**").mode = trust::Mode::kAudit;
  node.decider.Silence("silent");
  for (int i = 0; i < static_cast<int>(WaitingPulls::kMost); ++i) {
    (void)node.Ask("r.silent/web" + std::to_string(i) + ":1");
  }
  BOOST_CHECK(node.Judge("r.silent/one/more:1").answer == trust::Answer::kAllow);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
