// SPDX-License-Identifier: Apache-2.0

// A hundred nodes on a virtual clock whose images are signed beside them: what one registry is
// asked by all of them. bench/fleet does the same with ten thousand and a real one.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust_io/memory_disk.h"
#include "tests/support/trust_io/one_registry.h"
#include "tests/support/trust_io/simulated_fleet.h"
#include "tests/support/trust_io/virtual_time.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using Use = SimulatedFleet::Use;

constexpr std::size_t kRegistryNodes = 100;
// What begins in a minute may be done a slice later.
constexpr seconds kMinute{61};
// A request for each pull, and a pull each ten minutes.
constexpr double kPullsInUse = kRegistryNodes / 600.0;

struct RegistryFleet {
  RegistryFleet() {
    registry->With([](MemoryRegistry& held) {
      held.Tag("1.0", MemoryRegistry::Image());
      held.PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
    });
    Rule rule;
    rule.name = "cosign";
    rule.images = {ImagePattern::Parse("127.0.0.1:5055/**").value()};
    rule.action = Action::kVerify;
    rule.members = {{"cosign", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-p256.pub"})}};
    Rule fallback;
    fallback.name = "default";
    fallback.is_default = true;
    TrustServer settings;
    settings.label = "cosign";
    settings.kind = std::string(SigstoreKind().name());
    SimulatedFleet::Options options;
    options.nodes = kRegistryNodes;
    options.kinds = {&SigstoreKind()};
    options.servers = {settings};
    options.policy =
        std::make_shared<const Policy>(Policy::Create({rule}, std::move(fallback)).value());
    options.fetcher = asked;
    options.state_dir = "node-";
    options.files = &disk;
    nodes = std::make_unique<SimulatedFleet>(time, std::move(options));
    // Each has pulled once; a moment later everybody starts anew.
    nodes->StartAll();
    nodes->PullEach(by_tag, 60s, 60s);
    first = During(kMinute).average * kMinute.count();
    nodes->StopAll();
    nodes->StartAll();
  }

  RequestRate During(seconds stretch) {
    const seconds begin = std::chrono::floor<seconds>(time.passed());
    time.Run(stretch);
    return RateOf(asked->Since(begin));
  }
  void UseEach(const Use& use, seconds every, seconds stretch) {
    nodes->UseEach(use, every, std::chrono::floor<seconds>(time.passed()) + stretch);
  }
  void SetAway(bool away) {
    registry->With([away](MemoryRegistry& held) { away ? held.GoAway() : held.ComeBack(); });
  }

  const std::string repository = "127.0.0.1:5055/acme/web";
  const std::string by_tag = repository + ":1.0";
  const std::string by_digest = repository + "@" + MemoryRegistry::Image().ToString();
  VirtualTime time{SigningRepository::kNow, 0};
  std::shared_ptr<OneRegistry> registry = std::make_shared<OneRegistry>();
  std::shared_ptr<RequestLog> asked = std::make_shared<RequestLog>(time, registry);
  MemoryDisk disk;
  std::unique_ptr<SimulatedFleet> nodes;
  double first = 0;  ///< requests
};

const auto kRounded = boost::test_tools::tolerance(1e-9);

}  // namespace

BOOST_AUTO_TEST_SUITE(RegistryFleetTest)

BOOST_AUTO_TEST_CASE(FirstSight_FiveRequests_AndOneAPullWhereTheImageIsKnown) {
  RegistryFleet fleet;
  BOOST_TEST(fleet.first == 5.0 * kRegistryNodes, kRounded);
  BOOST_TEST(fleet.nodes->allowed() == kRegistryNodes);
  fleet.UseEach({.reference = fleet.by_tag}, 60s, 60s);
  BOOST_TEST(fleet.During(kMinute).average * kMinute.count() == 1.0 * kRegistryNodes, kRounded);
  BOOST_TEST(fleet.nodes->allowed() == 2 * kRegistryNodes);
}

// A power cut: everybody comes back with what is here, and nobody is asked for it.
BOOST_AUTO_TEST_CASE(StartedTogether_WhatIsHereIsAllowed_AndNothingIsAsked) {
  RegistryFleet fleet;
  fleet.UseEach({.reference = fleet.by_tag, .here = MemoryRegistry::Image()}, 60s, 60s);
  BOOST_TEST(fleet.During(kMinute).peak == 0u);
  BOOST_TEST(fleet.nodes->allowed() == 2 * kRegistryNodes);
  BOOST_TEST(fleet.nodes->refused() == 0u);
}

BOOST_AUTO_TEST_CASE(Idle_NothingIsAsked) {
  RegistryFleet fleet;
  BOOST_TEST(fleet.During(7h).peak == 0u);
}

BOOST_AUTO_TEST_CASE(OutageOfAnHour_ByDigestAllIsAllowed_AndNothingIsAsked) {
  RegistryFleet fleet;
  fleet.SetAway(true);
  fleet.UseEach({.reference = fleet.by_digest}, 10min, 1h);
  BOOST_TEST(fleet.During(1h).peak == 0u);
  BOOST_TEST(fleet.nodes->allowed() == 7 * kRegistryNodes);
  BOOST_TEST(fleet.nodes->refused() == 0u);
}

// What a tag is only the registry knows: refused as long as it is away, and allowed by the try
// after that.
BOOST_AUTO_TEST_CASE(OutageOfAnHour_ByTagItsEndIsNoStorm_AndOver) {
  RegistryFleet fleet;
  fleet.UseEach({.reference = fleet.by_tag, .refused = Use::Refused::kTriedAgain}, 10min, 90min);
  fleet.During(10min);
  fleet.SetAway(true);
  fleet.During(1h);
  BOOST_TEST(fleet.nodes->refused() > 10 * kRegistryNodes);
  fleet.SetAway(false);
  const std::size_t refused = fleet.nodes->refused();
  const RequestRate after = fleet.During(10min);
  BOOST_TEST(after.average < 2 * kPullsInUse);
  BOOST_TEST(after.peak_of_ten < 10 * kPullsInUse);  // a hundred nodes: ten seconds are noise
  BOOST_TEST(fleet.nodes->refused() == refused);
  BOOST_TEST(fleet.During(5min).average < 1.5 * kPullsInUse);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
