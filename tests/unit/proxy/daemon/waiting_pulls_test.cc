// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/waiting_pulls.h"

#include <boost/test/unit_test.hpp>
#include <list>
#include <string>

namespace crivet::proxy {
namespace {

const trust::Sha256Digest kOne = trust::Sha256Digest::FromHex(std::string(64, '1')).value();
const trust::Sha256Digest kTwo = trust::Sha256Digest::FromHex(std::string(64, '2')).value();

struct Node {
  /// Whether it has a place now, and keeps it.
  bool Takes(const std::string& name, const trust::Sha256Digest& digest = kOne) {
    auto place = pulls.Take(trust::ImageReference::Parse(name).value(), digest);
    if (!place) return false;
    taken.push_back(*std::move(place));
    return true;
  }
  /// How many of them have one.
  int TakeAll(const std::string& prefix, int attempts, const std::string& suffix = ":1") {
    int places = 0;
    for (int i = 0; i < attempts; ++i) {
      if (Takes(prefix + std::to_string(i) + suffix)) ++places;
    }
    return places;
  }

  WaitingPulls pulls{64};
  std::list<WaitingPulls::Place> taken;
};

BOOST_AUTO_TEST_SUITE(WaitingPullsTest)

BOOST_AUTO_TEST_CASE(OneRepository_LeavesItsRegistryToOthers) {
  Node node;
  BOOST_TEST(node.TakeAll("r.example/greedy:", 100, "") == 16);
  BOOST_TEST(node.TakeAll("r.example/other", 100) == 16);
  BOOST_TEST(!node.Takes("r.example/greedy:one-more"));
}

BOOST_AUTO_TEST_CASE(OneRegistry_LeavesAsMuchAsItHolds) {
  Node node;
  BOOST_TEST(node.TakeAll("stranger.example/r", 100) == 32);
  BOOST_TEST(node.TakeAll("r.example/r", 100) == 16);
  BOOST_TEST(node.TakeAll("third.example/r", 100) == 8);
  BOOST_TEST(node.Takes("fourth.example/r:1"));
}

BOOST_AUTO_TEST_CASE(ManyRegistries_LeaveOneMoreItsPlace) {
  Node node;
  int places = 0;
  for (int i = 0; i < 60; ++i) {
    if (node.Takes("r" + std::to_string(i) + ".example/web:1")) ++places;
  }
  BOOST_TEST(places == 60);
  BOOST_TEST(node.Takes("one-more.example/web:1"));
}

BOOST_AUTO_TEST_CASE(TheSameQuestion_SharesAPlace) {
  Node node;
  for (int i = 0; i < 1000; ++i) BOOST_TEST(node.Takes("r.example/web:1"));
  BOOST_TEST(node.Takes("r.example/web:1", kTwo));
  BOOST_TEST(node.TakeAll("r.example/web:", 100, "") == 15);  // one of them is the first
}

BOOST_AUTO_TEST_CASE(WhatIsGivenBack_IsThereAgain) {
  Node node;
  BOOST_TEST(node.Takes("r.example/web:0"));
  BOOST_TEST(node.TakeAll("r.example/web:", 100, "") == 16);
  // Asked twice: the first end leaves the second its place.
  node.taken.pop_front();
  BOOST_TEST(!node.Takes("r.example/web:one-more"));
  node.taken.clear();
  BOOST_TEST(node.TakeAll("r.example/web:", 100, "") == 16);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
