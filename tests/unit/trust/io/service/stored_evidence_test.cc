// SPDX-License-Identifier: Apache-2.0

// What a node keeps of the signatures that it verified: across power cuts and full disks.

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/trust_io/cosign_node.h"
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

BOOST_FIXTURE_TEST_SUITE(StoredEvidenceTest, CosignNode)

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
