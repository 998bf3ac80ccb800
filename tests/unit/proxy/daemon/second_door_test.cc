// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/second_door.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/proxy/fake_decider.h"
#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

const trust::Sha256Digest kOne = trust::Sha256Digest::FromHex(std::string(64, '1')).value();
const trust::Sha256Digest kTwo = trust::Sha256Digest::FromHex(std::string(64, '2')).value();
constexpr char kName[] = "r.example/web:1";

struct Door {
  SecondDoor::Verdict Judge(const std::string& name, const trust::Sha256Digest& digest = kOne) {
    return door.Judge(name, digest.ToString()).value();
  }
  /// Every line of the audit log; ends it.
  std::string Audit() {
    log.reset();
    std::ifstream in(folder.path() + "/audit.jsonl");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryFolder folder;
  FakeDecider decider;
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
    const auto judged = node.door.Judge(kName, digest);
    BOOST_REQUIRE(!judged);
    BOOST_CHECK(judged.error().reason == trust::Reason::kMalformed);
  }
}

BOOST_AUTO_TEST_CASE(TooManyAtOnce_AreRefusedAndTheOthersAnswered) {
  Door node;
  node.decider.Allow("r.example/**");
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0;
  bool open = false;
  node.decider.OnDecide([&](const trust::Question&) {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
  });
  std::vector<std::thread> pulls;
  std::atomic<int> allowed{0};
  for (int i = 0; i < SecondDoor::kMostAtOnce; ++i) {
    pulls.emplace_back([&] {
      if (node.Judge(kName).answer == trust::Answer::kAllow) ++allowed;
    });
  }
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting == SecondDoor::kMostAtOnce; });
  }
  const auto one_more = node.door.Judge(kName, kOne.ToString());
  BOOST_REQUIRE(!one_more);
  BOOST_CHECK(one_more.error().reason == trust::Reason::kState);
  {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  for (std::thread& pull : pulls) pull.join();
  BOOST_TEST(allowed == SecondDoor::kMostAtOnce);
  BOOST_CHECK(node.Judge(kName).answer == trust::Answer::kAllow);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
