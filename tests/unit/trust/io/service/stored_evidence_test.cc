// SPDX-License-Identifier: Apache-2.0

// What a node keeps of the signatures that it verified: across power cuts and full disks.

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/trust_io/cosign_node.h"
#include "trust/decide/evidence_holder.h"
#include "trust/io/service/evidence_disk.h"
#include "trust/io/store/state_document.h"

namespace crivet::trust {
namespace {

using Crash = MemoryDisk::Crash;
const std::string kName = CosignNode::kRepository;

void GoAway(CosignNode& node) {
  node.registry->With([](MemoryRegistry& held) { held.GoAway(); });
}

// A node that found that disk, and has no registry.
void StartFrom(CosignNode& node, std::unique_ptr<MemoryDisk> disk) {
  node.Stop();
  node.SetDisk(std::move(disk));
  GoAway(node);
  node.Start();
}

// The one file of the repository that is no document of ours.
std::string EvidenceOn(const MemoryDisk& disk, const std::string& folder) {
  for (const std::string& name : disk.NamesAt(folder)) {
    if (name.size() > 64) return folder + "/" + name;
  }
  return "";
}

std::string OnlyFolderOn(const MemoryDisk& disk) {
  const std::string repositories = "state/repositories";
  const auto names = disk.NamesAt(repositories);
  BOOST_REQUIRE(names.size() == 1U);
  return repositories + "/" + names.front();
}

// A node that may keep the evidence of eight repositories, of which it has asked about eight.
struct FullNode : CosignNode {
  static constexpr std::size_t kMay = 8;

  FullNode() {
    SetMaxEvidenceBytes(kMay * StoredSize(1));
    Start();
    for (std::size_t i = 0; i < kMay; ++i) {
      PullOf(i);
      BOOST_TEST(Takes(i + 1));
      Advance(std::chrono::seconds{1});
    }
  }
  // The pull is answered first.
  bool Takes(std::size_t repositories) {
    const auto takes = [&] {
      return service().Status().evidence.bytes == repositories * StoredSize(1);
    };
    for (int i = 0; i < 5000 && !takes(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return takes();
  }
  static std::string NameOf(std::size_t number) {
    return "127.0.0.1:5055/acme/web-" + std::to_string(number) + "@" +
           MemoryRegistry::Image().ToString();
  }
  void PullOf(std::size_t number) { BOOST_TEST(Outcome(Pull(NameOf(number))) == image); }
  bool IsKept(std::size_t number) {
    Question question = Ask(NameOf(number));
    question.local = MemoryRegistry::Image();
    question.reach = Question::Reach::kOffline;
    return Outcome(service().DecideNow(std::move(question))) == image;
  }
  // Which of so many are kept; after a start, so that nothing of the order of use is changed.
  std::vector<std::size_t> Kept(std::size_t of) {
    Start();
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < of; ++i) {
      if (IsKept(i)) kept.push_back(i);
    }
    return kept;
  }
};

BOOST_FIXTURE_TEST_SUITE(StoredEvidenceTest, CosignNode)

BOOST_FIXTURE_TEST_CASE(BeyondWhatANodeMayKeep_WhatIsNotHereGoes_TheLeastUsedFirst, FullNode) {
  BOOST_TEST(service().Status().evidence.repositories == kMay);
  Advance(std::chrono::hours{3});
  for (const std::size_t here : {0U, 1U, 2U, 3U}) BOOST_TEST(IsKept(here));
  PullOf(8);
  BOOST_TEST(Takes(kMay - 1));
  BOOST_TEST(Kept(9) == (std::vector<std::size_t>{0, 1, 2, 3, 6, 7, 8}),
             boost::test_tools::per_element());
}

// Somebody runs pods of image after image, each in a repository of its own.
BOOST_FIXTURE_TEST_CASE(WhoFillsTheNode_PushesOutNothingThatIsHere, FullNode) {
  for (std::size_t i = 100; i < 160; ++i) {
    Advance(std::chrono::hours{1});
    for (const std::size_t here : {0U, 1U, 2U, 3U}) BOOST_TEST(IsKept(here));
    PullOf(i);
    // One too many makes room for another.
    BOOST_TEST(Takes(i % 2 == 0 ? kMay - 1 : kMay));
  }
}

BOOST_FIXTURE_TEST_CASE(WhereAllIsHere_TheNodeKeepsToItsSizeAllTheSame, FullNode) {
  PullOf(8);
  BOOST_TEST(Takes(kMay - 1));
  BOOST_TEST(Kept(9).size() == kMay - 1);
}

// A start finds what is there, also of repositories that no rule reads any more: those go first.
BOOST_FIXTURE_TEST_CASE(AfterAStart_WhatIsOnTheDiskIsCounted_AndWhatNobodyReadsGoesFirst,
                        FullNode) {
  Stop();
  Rule rule;
  rule.name = "one";
  rule.images = {ImagePattern::Parse("127.0.0.1:5055/acme/web-0").value(),
                 ImagePattern::Parse("127.0.0.1:5055/acme/web-1").value(),
                 ImagePattern::Parse("127.0.0.1:5055/acme/web-2").value(),
                 ImagePattern::Parse("127.0.0.1:5055/acme/web-3").value()};
  rule.action = Action::kVerify;
  rule.members = {{"cosign", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-p256.pub"})}};
  SetRules(std::vector<Rule>{rule}, Rule{});
  SetMaxEvidenceBytes(4 * StoredSize(1) + 4 * StoredSize(1) / 7);
  Start(TrustService::Refreshing::kInBackground);
  BOOST_TEST(Takes(4));
  for (const std::size_t read : {0U, 1U, 2U, 3U}) BOOST_TEST(IsKept(read));
}

// It would go from memory, and make no room.
BOOST_FIXTURE_TEST_CASE(WhereTheDiskTakesNoWrites_NothingGoes, FullNode) {
  Stop();
  SetMaxEvidenceBytes(4 * StoredSize(1));
  disk().FailAll(ENOSPC);
  Start(TrustService::Refreshing::kInBackground);
  while (service().Status().state_problem.empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  for (std::size_t i = 0; i < kMay; ++i) BOOST_TEST(IsKept(i));
  // With room for writing the next pull brings it down.
  disk().Heal();
  PullOf(8);
  BOOST_TEST(Takes(3));
}

BOOST_FIXTURE_TEST_CASE(WhatIsForgotten_CountsNoMore, FullNode) {
  const CollectionId id = SigstoreKind().IdOf("", "127.0.0.1:5055/acme/web-0");
  BOOST_TEST(service().Forget(id).has_value());
  BOOST_TEST(service().Status().evidence.bytes == (kMay - 1) * StoredSize(1));
}

BOOST_DATA_TEST_CASE_F(CosignNode, WhatWasVerified_IsOnTheDisk_BeforeThePullGoesOn,
                       boost::unit_test::data::make({0, 1, 2, 3}), how) {
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  StartFrom(*this, disk().After(static_cast<Crash>(how)));
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(Outcome(Present(by_digest)) == image);
  // Under the tag it counts once the runtime has it.
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(AFullDisk_KeepsNoPull_AndWhatItDidNotTakeIsWrittenWhenThereIsRoom) {
  disk().FailAll(ENOSPC);
  const Decision pulled = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(pulled) == image);
  service().Remember(Ask(kName + ":1.0").reference, pulled);
  BOOST_TEST(!service().Status().state_problem.empty());
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  disk().Heal();
  // Nothing is new but that there is room.
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  BOOST_TEST(service().Status().state_problem.empty());
  StartFrom(*this, disk().After(Crash::kPowerLost));
  BOOST_TEST(Outcome(Present(by_digest)) == image);
}

BOOST_AUTO_TEST_CASE(APowerCut_AtEveryWriteOfMore_TakesNothingOfWhatWasThere) {
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  const std::uint64_t before = disk().steps();
  // Another rule's key signed it too.
  registry->With([](MemoryRegistry& held) {
    held.PutBundle(MemoryRegistry::TestData("bundles/key-ed25519-good.json"));
  });
  Use({"key-ed25519.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  const std::uint64_t steps = disk().steps() - before;
  BOOST_REQUIRE(steps > 5);
  for (std::uint64_t step = 0; step <= steps; ++step) {
    for (const Crash crash : {Crash::kKilled, Crash::kPowerLost, Crash::kPowerLostNamesOn}) {
      CosignNode node;
      BOOST_TEST(Outcome(node.Pull(kName + ":1.0")) == image);
      node.registry->With([](MemoryRegistry& held) {
        held.PutBundle(MemoryRegistry::TestData("bundles/key-ed25519-good.json"));
      });
      node.Use({"key-ed25519.pub"});
      node.Reconfigure();
      node.disk().DieAt(node.disk().steps() + step);
      BOOST_TEST(Outcome(node.Pull(kName + ":1.0")) == image);
      node.Use({"key-p256.pub"});
      StartFrom(node, node.disk().After(crash));
      BOOST_TEST_CONTEXT("step " << step << " crash " << static_cast<int>(crash)) {
        BOOST_TEST(Outcome(node.Present(by_digest)) == image);
      }
    }
  }
}

// One that is gone or damaged is asked for again, and takes no other with it.
BOOST_AUTO_TEST_CASE(DamagedEvidence_IsNone_AndIsAskedForAgain) {
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  const std::string file = EvidenceOn(disk(), OnlyFolderOn(disk()));
  disk().WriteAt(file, "{}");
  Start();
  const std::size_t asked = registry->asked();
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(registry->asked() > asked);
  Start();
  GoAway(*this);
  BOOST_TEST(Outcome(Present(by_digest)) == image);
}

BOOST_AUTO_TEST_CASE(WhoTakesMoreThanAnEqualShare_GivesIt_AndWhoTakesLessGivesNothing) {
  EvidenceDisk disk(800);
  const auto note = [&](const std::string& name, std::size_t bytes) {
    FileSystem::Facts facts;
    facts.size = bytes;
    disk.Note({"sigstore", "registry", name}, facts, bytes);
  };
  const auto excess = [&](const std::set<CollectionId>& fixed = {}) {
    std::vector<std::string> all;
    for (const EvidenceDisk::Share& share : disk.Excess(fixed)) {
      all.push_back(share.id.name + " " + std::to_string(share.bytes));
    }
    return all;
  };
  using Shares = std::vector<std::string>;
  note("a", 100);
  note("b", 500);
  note("c", 100);
  BOOST_TEST((excess() == Shares{}));
  BOOST_TEST(disk.HasRoom());
  note("d", 450);
  BOOST_TEST(disk.IsOver());
  BOOST_TEST((excess() == Shares{"b 250", "d 200"}));
  // One that cannot give: the others do.
  BOOST_TEST((excess({{"sigstore", "registry", "b"}}) == Shares{"d 384", "c 34", "a 34"}));
  note("b", 0);
  BOOST_TEST(disk.bytes() == 650U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
