// SPDX-License-Identifier: Apache-2.0
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/trust/signing_key.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Reach = Question::Reach;

const std::string kWeb = TestNode::kWeb;
const std::string kImage = kWeb + ":1.0";
const std::string kSigned = DigestOf("web 1.0").ToString();
const std::string kSecond = DigestOf("web 1.0, second edition").ToString();
const FetchFailure kAway{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable};

std::string FolderOf(const std::string& gun) {
  const CollectionId id = TestNode::IdOf(gun);
  return "state/repositories/" + ToHex(Sha256Of(id.url + std::string(1, '\0') + id.name));
}

void PublishSecond(TestNode& node) {
  node.server().With(kWeb, [](SigningRepository& web) {
    web.Sign("targets", "1.0", DigestOf("web 1.0, second edition"));
    web.Publish();
  });
}

void Withdraw(TestNode& node) {
  node.server().With(kWeb, [](SigningRepository& web) {
    web.Withdraw("targets", "1.0");
    web.Publish();
  });
}

Decision Offline(TrustService& service, const std::string& reference) {
  Question question = TestNode::Ask(reference);
  question.reach = Reach::kOffline;
  return service.DecideNow(question);
}

Question AskLocal(const std::string& reference, const std::string& local) {
  Question question = TestNode::Ask(reference);
  question.local = DigestOf(local);
  return question;
}

BOOST_AUTO_TEST_SUITE(TrustServiceStateTest)

BOOST_AUTO_TEST_CASE(Restart_AnswersFromTheStore_WithoutTheServer) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.server().With(kWeb, [](SigningRepository& web) { web.RefuseAll(kAway); });
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

BOOST_AUTO_TEST_CASE(Restart_SoonAfterARefresh_AsksNobody) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.server().ForgetAsked();
  node.Advance(60s);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_TEST(node.server().asked().empty());
}

BOOST_AUTO_TEST_CASE(Restart_TheStoredSetIsVerifiedByTodaysPins) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  NotaryRule other = node.VerifyRule("registry.acme.example/**", kWeb);
  other.root.key_ids = {SigningKey::Ecdsa().Parsed().canonical_id()};
  node.SetRules({other});
  node.Start();
  BOOST_TEST(Outcome(Offline(node.service(), kImage)) == "untrusted-root");
}

BOOST_AUTO_TEST_CASE(EveryStoredFile_Damaged_IsHealedFromTheServer_AndFloorsStand,
                     *boost::unit_test::label("sequential")) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  SigningRepository first;
  node.server().With(kWeb, [&](SigningRepository& web) { first = web; });
  PublishSecond(node);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  node.Stop();
  const std::string folder = FolderOf(kWeb);
  std::size_t harmed = 0;
  for (const std::string& name : node.disk().NamesAt(folder)) {
    if (name == "spare.json") continue;
    ++harmed;
    for (const char* harm : {"cut", "gone"}) {
      BOOST_TEST_CONTEXT(name << " " << harm) {
        TestNode other;
        other.SetRules({node.VerifyRule("registry.acme.example/**", kWeb)});
        other.SetDisk(node.disk().After(MemoryDisk::Crash::kKilled));
        other.Advance(302s);
        const std::string path = folder + "/" + name;
        if (harm == std::string("gone")) {
          other.disk().RemoveAt(path);
        } else {
          other.disk().WriteAt(path, other.disk().ReadAt(path).substr(1));
        }
        // An older edition is a rollback, whatever was damaged; from damage never comes a yes.
        other.server().With(kWeb, [&](SigningRepository& web) { web = first; });
        other.Start();
        const std::string stale = Outcome(other.Pull(kImage));
        BOOST_TEST((stale == "rollback" || stale == kSecond));
        other.server().With(kWeb, [&](SigningRepository& web) {
          node.server().With(kWeb, [&](SigningRepository& newest) { web = newest; });
        });
        other.Advance(31s);
        BOOST_TEST(Outcome(other.Pull(kImage)) == kSecond);
        other.Start();
        BOOST_TEST(Outcome(Offline(other.service(), kImage)) == kSecond);
      }
    }
  }
  BOOST_TEST(harmed == 5U);
}

BOOST_AUTO_TEST_CASE(BothManifestsLost_IsUnavailableState_UntilForget) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.Stop();
  node.disk().WriteAt(FolderOf(kWeb) + "/current.json", "");
  node.disk().WriteAt(FolderOf(kWeb) + "/spare.json", "");
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "state");
  BOOST_REQUIRE(node.service().Forget(TestNode::IdOf(kWeb)));
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

BOOST_AUTO_TEST_CASE(FullDisk_MemoryServes_TheStatusSaysSo_AndTheNextRefreshSaves) {
  TestNode node;
  node.Start();
  node.disk().FailAll(ENOSPC);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_TEST(node.service().Status().state_problem.find("No space left") != std::string::npos);
  node.server().With(kWeb, [](SigningRepository& web) { web.RefuseAll(kAway); });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);

  node.server().With(kWeb, [](SigningRepository& web) { web.Recover(); });
  node.disk().Heal();
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_TEST(node.service().Status().state_problem.empty());
  node.Start();
  BOOST_TEST(Outcome(Offline(node.service(), kImage)) == kSigned);
  BOOST_TEST(node.Lines().size() == 3U);  // full, away, takes writes again
}

// A process may run out of descriptors for a moment.
BOOST_AUTO_TEST_CASE(StateThatCannotBeRead_TakesNothingFromMemory) {
  TestNode node;
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  SigningRepository first;
  node.server().With(kWeb, [&](SigningRepository& web) { first = web; });
  PublishSecond(node);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);

  node.disk().FailReads(EMFILE);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  BOOST_REQUIRE(node.StatusOf(kWeb).last_failure);
  BOOST_TEST((node.StatusOf(kWeb).last_failure->error.reason == Reason::kState));
  node.Reconfigure();
  NotaryRule wider = node.VerifyRule("registry.acme.example/**", kWeb);
  wider.roles = {RoleName::Parse("targets/ci").value(), RoleName::Targets()};
  node.SetRules({wider, node.VerifyRule("registry.acme.example/shop/**", kWeb)});
  node.Reconfigure();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  // And the floors stand.
  node.server().With(kWeb, [&](SigningRepository& web) { web = first; });
  node.disk().Heal();
  node.Advance(31s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  BOOST_TEST((node.StatusOf(kWeb).last_failure->error.reason == Reason::kRollback));
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
}

BOOST_AUTO_TEST_CASE(FullDisk_FloorsHoldInMemory) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  SigningRepository first;
  node.server().With(kWeb, [&](SigningRepository& web) { first = web; });
  PublishSecond(node);
  node.disk().FailAll(EROFS);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  node.server().With(kWeb, [&](SigningRepository& web) { web = first; });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  BOOST_REQUIRE(node.StatusOf(kWeb).last_failure);
  BOOST_TEST((node.StatusOf(kWeb).last_failure->error.reason == Reason::kRollback));
}

BOOST_AUTO_TEST_CASE(UnchangedSet_IsNotWrittenAgainWithinTheHour) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  const std::uint64_t steps = node.disk().steps();
  for (int i = 0; i < 5; ++i) {
    node.Advance(601s);
    node.Pull(kImage);
  }
  BOOST_TEST(node.disk().steps() == steps);
  node.Advance(601s);
  node.Pull(kImage);
  BOOST_TEST(node.disk().steps() > steps);
}

BOOST_AUTO_TEST_CASE(RepositoryBegunAnew_IsARollback_UntilForget) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  SigningRepository first;
  node.server().With(kWeb, [&](SigningRepository& web) { first = web; });
  PublishSecond(node);
  node.Advance(301s);
  node.Pull(kImage);
  node.server().With(kWeb, [&](SigningRepository& web) { web = first; });
  node.Advance(301s);
  node.Pull(kImage);
  BOOST_REQUIRE(node.StatusOf(kWeb).last_failure);
  BOOST_TEST((node.StatusOf(kWeb).last_failure->error.reason == Reason::kRollback));
  BOOST_REQUIRE(node.service().Forget(TestNode::IdOf(kWeb)));
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

// A thief of the server's or a publisher's key drove a version up; key and collection are made
// anew.
BOOST_DATA_TEST_CASE(FastForwardOfAnyRole_IsARollbackThatNamesBothVersions_UntilForget,
                     boost::unit_test::data::make({"timestamp", "snapshot", "targets",
                                                   "targets/releases"}),
                     role) {
  TestNode node;
  SigningRepository honest;
  node.server().With(kWeb, [&](SigningRepository& web) {
    web.Delegate("targets/releases", {SigningKey::Ecdsa()});
    web.Sign("targets/releases", "1.0", DigestOf("web 1.0"));
    web.Publish();
    honest = web;
    web.SetNextVersion(role, 4711);
    web.Publish();
  });
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  honest.Sign("targets/releases", "1.0", DigestOf("web 1.0, second edition"));
  // What lists the role goes on above what the node knows, so that the role itself decides.
  const std::string driven_up = role;
  if (driven_up != "timestamp") honest.SetNextVersion("timestamp", 100);
  if (driven_up != "timestamp" && driven_up != "snapshot") honest.SetNextVersion("snapshot", 100);
  honest.Publish();
  node.server().With(kWeb, [&](SigningRepository& web) { web = honest; });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);  // the last complete set
  const RepositoryStatus status = node.StatusOf(kWeb);
  BOOST_REQUIRE(status.last_failure);
  BOOST_TEST((status.last_failure->error.reason == Reason::kRollback));
  BOOST_TEST(status.last_failure->at == role);
  const std::string& detail = status.last_failure->error.detail;
  BOOST_TEST(detail.find(" is older than version ") != std::string::npos, detail);
  BOOST_REQUIRE(node.service().Forget(TestNode::IdOf(kWeb)));
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
}

BOOST_AUTO_TEST_CASE(ForgetByAnotherProcess_IsNoticedByTheNextRefresh) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  SigningRepository first;
  node.server().With(kWeb, [&](SigningRepository& web) { first = web; });
  PublishSecond(node);
  node.Advance(301s);
  node.Pull(kImage);
  node.server().With(kWeb, [&](SigningRepository& web) { web = first; });
  BOOST_REQUIRE(node.Beside()->Forget(TestNode::IdOf(kWeb)));
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

BOOST_AUTO_TEST_CASE(AnotherProcessOnTheSameState_ItsNewerFloorsCount) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  SigningRepository first;
  node.server().With(kWeb, [&](SigningRepository& web) { first = web; });
  PublishSecond(node);
  Question forced = TestNode::Ask(kImage);
  forced.reach = Reach::kForce;
  BOOST_TEST(Outcome(node.Beside()->DecideNow(forced)) == kSecond);
  node.server().With(kWeb, [&](SigningRepository& web) { web = first; });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  BOOST_REQUIRE(node.StatusOf(kWeb).last_failure);
  BOOST_TEST((node.StatusOf(kWeb).last_failure->error.reason == Reason::kRollback));
}

BOOST_AUTO_TEST_CASE(Records_OutliveRestarts_AndGoWithTheirTag) {
  TestNode node;
  node.Start();
  const Decision pulled = node.Pull(kImage);
  node.service().Remember(ImageReference::Parse(kImage).value(), pulled);
  BOOST_TEST(node.StatusOf(kWeb).records == 1U);
  const std::uint64_t steps = node.disk().steps();
  node.service().Remember(ImageReference::Parse(kImage).value(), pulled);
  BOOST_TEST(node.disk().steps() == steps);

  PublishSecond(node);
  node.Start();
  node.Advance(301s);
  const Decision moved = node.service().DecideNow(AskLocal(kImage, "web 1.0"));
  BOOST_TEST(Outcome(moved) == kSigned);
  BOOST_TEST(moved.evidence.from_record);
  Withdraw(node);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.service().DecideNow(AskLocal(kImage, "web 1.0"))) != kSigned);
  BOOST_TEST(node.StatusOf(kWeb).records == 0U);
  node.Start();
  node.service().View(TestNode::IdOf(kWeb));
  BOOST_TEST(node.StatusOf(kWeb).records == 0U);
}

// Killed between the set without the tag and the records without it: the next start ends it.
BOOST_AUTO_TEST_CASE(KilledAtAnyStepOfAWithdrawal_TheRecordIsGoneWithTheTag,
                     *boost::unit_test::label("sequential")) {
  bool killed = true;
  for (std::uint64_t step = 1; killed; ++step) {
    BOOST_TEST_CONTEXT("step " << step) {
      TestNode node;
      node.Start();
      const Decision pulled = node.Pull(kImage);
      node.service().Remember(ImageReference::Parse(kImage).value(), pulled);
      Withdraw(node);
      const std::uint64_t last = node.disk().steps() + step;
      node.disk().DieAt(last);
      node.Advance(301s);
      node.Pull(kImage);
      killed = node.disk().steps() >= last;
      auto left = node.disk().After(MemoryDisk::Crash::kKilled);
      node.Stop();
      node.SetDisk(std::move(left));
      node.Start();
      const TrustView view = node.service().View(TestNode::IdOf(kWeb));
      BOOST_REQUIRE(view.set);
      const bool listed = RepositoryOf(view.set)->Lookup(RoleName::Targets(), "1.0").has_value();
      BOOST_TEST(node.StatusOf(kWeb).records == (listed ? 1U : 0U));
    }
  }
}

BOOST_AUTO_TEST_CASE(FullDisk_AWithdrawalIsWrittenWhenThereIsRoomAgain) {
  TestNode node;
  node.Start();
  const Decision pulled = node.Pull(kImage);
  node.service().Remember(ImageReference::Parse(kImage).value(), pulled);
  Withdraw(node);
  node.disk().FailAll(ENOSPC);
  node.Advance(301s);
  node.Pull(kImage);
  BOOST_TEST(node.StatusOf(kWeb).records == 0U);
  node.disk().Heal();
  PublishSecond(node);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  node.Start();
  BOOST_TEST(Outcome(node.service().DecideNow(AskLocal(kImage, "web 1.0"))) != kSigned);
  BOOST_TEST(node.StatusOf(kWeb).records == 0U);
}

// Also after a restart, and through the disk.
BOOST_AUTO_TEST_CASE(TagWithdrawn_IsToldFromOneThatNobodySigned) {
  TestNode node;
  node.Start();
  const Decision pulled = node.Pull(kImage);
  node.service().Remember(ImageReference::Parse(kImage).value(), pulled);
  Withdraw(node);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == "withdrawn");
  BOOST_TEST(Outcome(node.Pull("registry.acme.example/shop/web:never")) == "tag-not-signed");
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "withdrawn");
  BOOST_TEST(node.StatusOf(kWeb).records == 0U);
}

// A pull is long: its decision may have been overtaken when it is to be remembered.
BOOST_AUTO_TEST_CASE(TagWithdrawnDuringThePull_IsNotRemembered) {
  TestNode node;
  node.Start();
  const Decision pulled = node.Pull(kImage);
  Withdraw(node);
  node.Advance(301s);
  node.Pull(kImage);
  node.service().Remember(ImageReference::Parse(kImage).value(), pulled);
  BOOST_TEST(node.StatusOf(kWeb).records == 0U);
  PublishSecond(node);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSecond);
  BOOST_TEST(Outcome(node.service().DecideNow(AskLocal(kImage, "web 1.0"))) != kSigned);
}

// What could not be written was seen all the same: a set between the store's and it is a rollback,
// also where another process was made to take it.
BOOST_AUTO_TEST_CASE(FullDisk_OlderSetOfAnotherProcess_IsARollback) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  PublishSecond(node);
  SigningRepository second;
  node.server().With(kWeb, [&](SigningRepository& web) { second = web; });
  Withdraw(node);
  node.disk().FailAll(ENOSPC);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == "tag-not-signed");
  node.disk().Heal();
  node.server().With(kWeb, [&](SigningRepository& web) { web = second; });
  Question forced = TestNode::Ask(kImage);
  forced.reach = Reach::kForce;
  BOOST_TEST(Outcome(node.Beside()->DecideNow(forced)) == kSecond);
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) != kSecond);
  BOOST_REQUIRE(node.StatusOf(kWeb).last_failure);
  BOOST_TEST((node.StatusOf(kWeb).last_failure->error.reason == Reason::kRollback));
}

BOOST_AUTO_TEST_CASE(Records_AreMadeBySignedTagsOnly) {
  TestNode node;
  node.SetRules({TestNode::ActionRule("registry.acme.example/**", Action::kAllow)});
  node.Start();
  node.service().Remember(ImageReference::Parse(kImage).value(), node.Pull(kImage));
  BOOST_TEST(node.service().Status().repositories.empty());
}

// web:2.0 is signed by a role that the usual rules do not read.
void DelegateToCi(TestNode& node) {
  node.server().With(kWeb, [](SigningRepository& web) {
    web.Delegate("targets/ci", {SigningKey::Ecdsa()});
    web.Sign("targets/ci", "2.0", DigestOf("web 2.0"));
    web.Publish();
  });
}

BOOST_AUTO_TEST_CASE(Reconfigure_AnswersByTheNewRulesAtOnce) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.SetRules({TestNode::ActionRule("registry.acme.example/**", Action::kDeny)});
  node.Reconfigure();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "denied");
  node.SetRules({node.VerifyRule("registry.acme.example/**", kWeb)});
  node.Reconfigure();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

BOOST_AUTO_TEST_CASE(Reconfigure_APinTakenOut_TakesItsChain) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  NotaryRule other = node.VerifyRule("registry.acme.example/**", kWeb);
  other.root.key_ids = {SigningKey::Ecdsa().Parsed().canonical_id()};
  node.SetRules({other});
  node.Reconfigure();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "untrusted-root");
}

BOOST_AUTO_TEST_CASE(Reconfigure_ARoleThatWasNotReadYet_IsFetched) {
  TestNode node;
  DelegateToCi(node);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == "tag-not-signed");
  NotaryRule wider = node.VerifyRule("registry.acme.example/**", kWeb);
  wider.roles = {RoleName::Parse("targets/ci").value(), RoleName::Targets()};
  node.SetRules({wider});
  node.Reconfigure();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == DigestOf("web 2.0").ToString());
}

// The last complete set answers for as long as it lasts: an operator may change the rules while the
// server is away, and the node may restart.
BOOST_AUTO_TEST_CASE(Reconfigure_ARoleThatCannotBeHad_TakesNothingFromOtherRules) {
  TestNode node;
  DelegateToCi(node);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  node.server().With(kWeb, [](SigningRepository& web) { web.RefuseAll(kAway); });
  NotaryRule plain = node.VerifyRule("registry.acme.example/**", kWeb);
  NotaryRule by_ci = plain;
  by_ci.name = "ci";
  by_ci.namespaces = {"ci-*"};
  by_ci.roles = {RoleName::Parse("targets/ci").value()};
  node.SetRules({plain, by_ci});
  node.Reconfigure();
  Question in_ci = TestNode::Ask(kWeb + ":2.0");
  in_ci.pod_namespace = std::string("ci-1");
  for (const bool restarted : {false, true}) {
    if (restarted) node.Start();
    BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
    BOOST_TEST(Outcome(node.service().DecideNow(in_ci)) == "unreachable");
  }
  node.Advance(31s);
  node.server().With(kWeb, [](SigningRepository& web) { web.Recover(); });
  BOOST_TEST(Outcome(node.service().DecideNow(in_ci)) == DigestOf("web 2.0").ToString());
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

BOOST_AUTO_TEST_CASE(Reconfigure_DuringARefresh_ItsSetHasTheNewRolesToo) {
  TestNode node;
  DelegateToCi(node);
  node.Start();
  node.server().Hang();
  auto asked = std::async(std::launch::async, [&] { return node.Pull(kImage); });
  node.server().WaitForRequests(1);
  NotaryRule wider = node.VerifyRule("registry.acme.example/**", kWeb);
  wider.roles = {RoleName::Parse("targets/ci").value(), RoleName::Targets()};
  node.SetRules({wider});
  node.Reconfigure();
  node.server().Release();
  BOOST_TEST(Outcome(asked.get()) == kSigned);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == DigestOf("web 2.0").ToString());
}

BOOST_AUTO_TEST_CASE(Import_OfADockerTrustFolder_ServesANodeWithoutANetwork) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "metadata/targets");
  TestNode node;
  node.server().With(kWeb, [&](SigningRepository& web) {
    web.Delegate("targets/releases", {SigningKey::Ecdsa()});
    web.Sign("targets/releases", "2.0", DigestOf("web 2.0"));
    web.Publish();
    for (const char* role : {"root", "timestamp", "snapshot", "targets", "targets/releases"}) {
      std::ofstream(folder / ("metadata/" + std::string(role) + ".json")) << web.bytes(role);
    }
    web.RefuseAll(kAway);
  });
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == "unreachable");
  const auto imported = node.service().Import(TestNode::IdOf(kWeb), folder / "metadata");
  BOOST_REQUIRE_MESSAGE(imported, (imported ? "" : imported.error().error.detail));
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == DigestOf("web 2.0").ToString());
  node.Start();
  BOOST_TEST(Outcome(Offline(node.service(), kWeb + ":2.0")) == DigestOf("web 2.0").ToString());
}

BOOST_AUTO_TEST_CASE(Import_OfAFolderThatDoesNotVerify_ChangesNothing) {
  const TemporaryFolder folder;
  TestNode node;
  SigningRepository somebody_elses(kWeb);
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    std::ofstream(folder / (std::string(role) + ".json")) << somebody_elses.bytes(role);
  }
  node.Start();
  node.Pull(kImage);
  const auto imported = node.service().Import(TestNode::IdOf(kWeb), folder.path());
  BOOST_REQUIRE(!imported);
  BOOST_TEST(Outcome(Offline(node.service(), kImage)) == kSigned);
  BOOST_TEST(!node.service().Import(TestNode::IdOf(kWeb), folder / "nothing-here"));
}

BOOST_AUTO_TEST_CASE(FetchAnchor_TrustsNothing) {
  TestNode node;
  node.Start();
  const auto root = node.service().FetchAnchor(TestNode::IdOf(kWeb));
  BOOST_REQUIRE(root);
  node.server().With(kWeb,
                     [&](SigningRepository& web) { BOOST_TEST(root->bytes == web.bytes("root")); });
  BOOST_TEST(!node.service().View(TestNode::IdOf(kWeb)).set);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
