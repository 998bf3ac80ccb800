// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

#if defined(CRIVET_THREAD_SANITIZER) || defined(__SANITIZE_ADDRESS__)  // many times slower
constexpr int kRepositories = 100;
#else
constexpr int kRepositories = 500;
#endif
constexpr std::size_t kRate = 2;  // a second, max_refresh_rate's default
constexpr std::size_t kSeconds = kRepositories / 5;
// Long enough that none is due a second time while the others wait for their first; short of the
// hour without a decision that makes a repository one that is hardly used.
constexpr auto kInterval = 45min;
constexpr auto kInBackground = TrustService::Refreshing::kInBackground;
const FetchFailure kAway{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable};

std::string GunOf(int number) { return "registry.acme.example/shop/s" + std::to_string(number); }

/// BusyNode is a node that uses hundreds of repositories of one server. Time goes on only while
/// the test lets it; what the server is asked is counted.
struct BusyNode : TestNode {
  BusyNode() {
    Settings().refresh_interval = kInterval;
    std::vector<NotaryRule> rules;
    for (int i = 0; i < kRepositories; ++i) {
      server().With(GunOf(i), [](SigningRepository& one) {
        one.Sign("targets", "1", DigestOf("one"));
        one.Publish();
      });
      rules.push_back(VerifyRule(GunOf(i), GunOf(i)));
    }
    SetRules(std::move(rules));
    Start();
    for (int i = 0; i < kRepositories; ++i) Pull(GunOf(i) + ":1");
    server().ForgetAsked();
  }

  void EachCollection(const std::function<void(SigningRepository&)>& use) {
    for (int i = 0; i < kRepositories; ++i) server().With(GunOf(i), use);
  }

  /// Time goes on second by second while many are due: each brings one to the server, and never
  /// more than the rate.
  void Run(std::size_t seconds) {
    server().ForgetAsked();
    for (std::size_t second = 1; second <= seconds; ++second) {
      Advance(1s);
      Reconfigure();  // looks at what is due
      server().WaitForRequests(second);
      BOOST_REQUIRE_LE(server().refreshes(), kRate * second + 1);
    }
  }

  void WaitUntilAllAreLoaded() {
    // Not in a busy loop: what loads them wants the processors.
    while (!AllAreLoaded()) std::this_thread::sleep_for(5ms);
  }

  bool AllAreLoaded() {
    const ServiceStatus status = service().Status();
    return status.repositories.size() == static_cast<std::size_t>(kRepositories) &&
           std::all_of(status.repositories.begin(), status.repositories.end(),
                       [](const RepositoryStatus& one) { return one.verified_at.has_value(); });
  }

  std::size_t CollectionsAsked() {
    std::set<std::string> guns;
    for (const SimulatedServer::Asked& asked : server().asked()) guns.insert(asked.gun);
    return guns.size();
  }
};

}  // namespace

// Hundreds of repositories, counted at the server.
BOOST_FIXTURE_TEST_SUITE(TrustServiceLoadTest, BusyNode)

BOOST_AUTO_TEST_CASE(Start_AfterANightWithoutPower_NoBurst) {
  Stop();
  Advance(12h);
  Start(kInBackground);
  WaitUntilAllAreLoaded();
  BOOST_TEST(server().refreshes() <= kRate);
  Advance(kInterval);  // now each is due
  Run(kSeconds);
  BOOST_TEST(CollectionsAsked() == server().refreshes());  // none twice while others wait
}

BOOST_AUTO_TEST_CASE(Outage_ThatLetsAllBecomeDue_EndsWithoutABurst) {
  Start(kInBackground);
  WaitUntilAllAreLoaded();
  EachCollection([](SigningRepository& one) { one.RefuseAll(kAway); });
  Advance(kInterval);
  Run(kSeconds);
  EachCollection([](SigningRepository& one) { one.Recover(); });
  Run(kSeconds);
  BOOST_TEST(CollectionsAsked() == server().refreshes());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
