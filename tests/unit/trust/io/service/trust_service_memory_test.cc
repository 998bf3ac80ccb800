// SPDX-License-Identifier: Apache-2.0

// What verified sets may take in memory, where signers that nobody knows can fill it.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

constexpr int kRepositories = 40;
constexpr std::size_t kTags = 500;
const FetchFailure kAway{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable};

std::string GunOf(int number) { return "registry.acme.example/shop/s" + std::to_string(number); }

/// FilledNode is a node whose rule trusts the first use, and signers who make use of that.
struct FilledNode : TestNode {
  FilledNode() {
    for (int i = 0; i < kRepositories; ++i) {
      server().With(GunOf(i), [](SigningRepository& one) {
        for (std::size_t tag = 0; tag < kTags; ++tag) {
          one.Sign("targets", std::to_string(tag), DigestOf("one"));
        }
        one.Publish();
      });
    }
    NotaryRule rule = VerifyRule("registry.acme.example/**", GunOf(0));
    rule.root = RootPin{};
    rule.root.tofu = true;
    SetRules({std::move(rule)});
    Start();
    Pull(GunOf(0) + ":1");
    one_set = StatusOf(GunOf(0)).resident_bytes;
    cap = 8 * one_set;
    SetMaxResidentBytes(cap);
    Start();
  }

  std::size_t ResidentBytes() {
    std::size_t bytes = 0;
    for (const RepositoryStatus& one : service().Status().repositories) bytes += one.resident_bytes;
    return bytes;
  }
  // An answer is given before the set that it came from may have to go, on another thread.
  bool KeepsTheCap() {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (ResidentBytes() > cap && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    return ResidentBytes() <= cap;
  }
  void LetServerBeAway() {
    for (int i = 0; i < kRepositories; ++i) {
      server().With(GunOf(i), [](SigningRepository& one) { one.RefuseAll(kAway); });
    }
  }
  bool IsInMemory(int number) {
    for (const RepositoryStatus& one : service().Status().repositories) {
      if (one.id.name == GunOf(number)) return one.resident_bytes > 0;
    }
    return false;
  }

  std::size_t one_set = 0;
  std::size_t cap = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(TrustServiceMemoryTest, FilledNode)

BOOST_AUTO_TEST_CASE(SetsBeyondTheCap_LeaveMemoryAndAreStillAnsweredFromTheDisk) {
  BOOST_TEST_REQUIRE(one_set > 10'000U);
  for (int i = 0; i < kRepositories; ++i) {
    Advance(1s);
    BOOST_TEST(Outcome(Pull(GunOf(i) + ":1")) == DigestOf("one").ToString());
    BOOST_TEST(KeepsTheCap());
  }
  LetServerBeAway();
  for (int i = 0; i < kRepositories; ++i) {
    BOOST_TEST(Outcome(Pull(GunOf(i) + ":499")) == DigestOf("one").ToString());
    BOOST_TEST(KeepsTheCap());
  }
}

BOOST_AUTO_TEST_CASE(SetThatIsUsed_StaysInMemoryWhateverOthersFillIt) {
  for (int i = 0; i < kRepositories; ++i) {
    Advance(1s);
    Pull(GunOf(i) + ":1");
    Pull(GunOf(0) + ":1");
    BOOST_TEST(IsInMemory(0));
  }
}

BOOST_AUTO_TEST_CASE(Start_WithMoreOnTheDiskThanFits_KeepsTheCap) {
  for (int i = 0; i < kRepositories; ++i) Pull(GunOf(i) + ":1");
  Start(TrustService::Refreshing::kInBackground);
  LetServerBeAway();
  for (int i = 0; i < kRepositories; ++i) {
    BOOST_TEST(Outcome(Pull(GunOf(i) + ":1")) == DigestOf("one").ToString());
  }
  BOOST_TEST(KeepsTheCap());
}

// The floors of what could not be stored are all that is left of it, and they hold.
BOOST_AUTO_TEST_CASE(DiskThatTakesNothing_KeepsTheCapAndTheFloors) {
  SigningRepository first;
  server().With(GunOf(0), [&](SigningRepository& one) {
    first = one;
    one.Sign("targets", "later", DigestOf("two"));
    one.Publish();
  });
  Advance(301s);
  disk().FailAll(ENOSPC);
  for (int i = 0; i < kRepositories; ++i) {
    Advance(1s);
    BOOST_TEST(Outcome(Pull(GunOf(i) + ":1")) == DigestOf("one").ToString());
    BOOST_TEST(KeepsTheCap());
  }
  BOOST_TEST(!IsInMemory(0));
  server().With(GunOf(0), [&](SigningRepository& one) { one = first; });
  BOOST_TEST(Outcome(Pull(GunOf(0) + ":1")) == "rollback");
  disk().Heal();
  Advance(301s);
  BOOST_TEST(Outcome(Pull(GunOf(0) + ":1")) == "rollback");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
