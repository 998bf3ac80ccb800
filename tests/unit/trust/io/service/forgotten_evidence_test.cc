// SPDX-License-Identifier: Apache-2.0

// What a person has forgotten of signatures beside images: the order of one tag, or all that is
// kept of them, and in either case not the other.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/keyless_node.h"

namespace crivet::trust {
namespace {

/// A node that has pulled one image under two tags, signed when a log proves it.
struct OrderedNode : KeylessNode {
  OrderedNode() {
    // After it was signed, or the time would count for nothing.
    SetWall(*ParseRfc3339("2026-11-21T00:00:00Z"));
    Start();
    registry->With([](MemoryRegistry& held) { held.Tag("2.0", MemoryRegistry::Image()); });
    for (const char* tag : {":1.0", ":2.0"}) {
      const Decision pulled = Pull(kName + tag);
      BOOST_REQUIRE(Outcome(pulled) == image);
      service().Remember(Ask(kName + tag).reference, pulled);
    }
  }
  void GoAway() {
    registry->With([](MemoryRegistry& held) { held.GoAway(); });
  }
  bool HasFloor(const std::string& tag) {
    return service().ForgetTag(id, tag).value().own.has_value();
  }
  // How many records there are.
  std::size_t Records() { return service().View(id).records->size(); }

  const CollectionId id = SigstoreKind().IdOf("", kName);
};

BOOST_FIXTURE_TEST_SUITE(ForgottenEvidenceTest, OrderedNode)

BOOST_AUTO_TEST_CASE(ForgetTag_DropsTheFloorOfThatTagAlone_AlsoOnTheDisk) {
  const auto floor = service().ForgetTag(id, "1.0");
  BOOST_REQUIRE(floor.has_value());
  BOOST_TEST(floor->own.has_value());
  BOOST_TEST(!floor->with_others);
  BOOST_TEST(Records() == 2U);
  GoAway();
  BOOST_TEST(PresentOf() == image);
  Start();
  BOOST_TEST(PresentOf() == image);
  BOOST_TEST(Records() == 2U);
  BOOST_TEST(!HasFloor("1.0"));
  BOOST_TEST(HasFloor("2.0"));
}

BOOST_AUTO_TEST_CASE(ForgetEvidence_DropsSignaturesAndRecords_AndLeavesFloors) {
  const auto dropped = service().ForgetEvidence(id);
  BOOST_REQUIRE(dropped.has_value());
  BOOST_TEST(dropped->images == 1U);
  BOOST_TEST(dropped->records == 2U);
  BOOST_TEST(service().Status().evidence.bytes == 0U);
  GoAway();
  BOOST_TEST(PresentOf() == "unreachable");
  Start();
  BOOST_TEST(PresentOf() == "unreachable");
  BOOST_TEST(Records() == 0U);
  BOOST_TEST(HasFloor("1.0"));
}

// A miss that was remembered would answer for half a minute what no longer is.
BOOST_AUTO_TEST_CASE(ForgetEvidence_IsAskedForAgainAtOnce) {
  GoAway();
  BOOST_TEST(PullOf(AnotherImage()) == "unreachable");
  registry->With([](MemoryRegistry& held) { held.ComeBack(); });
  BOOST_TEST(service().ForgetEvidence(id).has_value());
  BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
  BOOST_TEST(PresentOf() == image);
}

BOOST_AUTO_TEST_CASE(DiskTakesNoWrites_ForgetsNothing_AndSaysSo) {
  GoAway();
  disk().FailAll(ENOSPC);
  BOOST_TEST(!service().ForgetTag(id, "1.0").has_value());
  BOOST_TEST(!service().ForgetEvidence(id).has_value());
  BOOST_TEST(PresentOf() == image);
  disk().Heal();
  BOOST_TEST(Records() == 2U);
  BOOST_TEST(HasFloor("1.0"));
}

BOOST_AUTO_TEST_CASE(AnotherProcessForgets_WhatThisOneHas_IsNotBroughtBack) {
  BOOST_TEST(Beside()->ForgetTag(id, "1.0").value().own.has_value());
  BOOST_TEST(!HasFloor("1.0"));
}

BOOST_AUTO_TEST_CASE(NothingWasKept_LeavesNothing) {
  const CollectionId other = SigstoreKind().IdOf("", "127.0.0.1:5055/acme/other");
  const std::size_t before = disk().NamesAt("state/repositories").size();
  BOOST_TEST(!service().ForgetTag(other, "1.0").value().own);
  BOOST_TEST(service().ForgetEvidence(other).value().images == 0U);
  BOOST_TEST(disk().NamesAt("state/repositories").size() == before);
}

// What cannot be read is what evidence is forgotten for: nobody has to remove a folder by hand.
BOOST_AUTO_TEST_CASE(ForgetEvidence_OfADamagedState_MendsIt) {
  Stop();
  for (const std::string& name : disk().NamesAt("state/repositories")) {
    const std::string at = "state/repositories/" + name;
    if (disk().ReadAt(at + "/current.json").find("\"sigstore\"") == std::string::npos) continue;
    for (const char* file : {"/current.json", "/spare.json"}) disk().WriteAt(at + file, "damaged");
  }
  Start();
  BOOST_TEST(PresentOf() == "state");
  BOOST_TEST(!service().ForgetTag(id, "1.0").has_value());
  BOOST_TEST(service().ForgetEvidence(id).has_value());
  BOOST_TEST(PresentOf() == image);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
