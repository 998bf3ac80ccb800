// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/name_misses.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>

namespace crivet::trust {
namespace {

constexpr SinceBoot kNow{1000};

FlightKey Key(const std::string& name, unsigned char whose = 0) {
  FlightKey key{"acme", {}, name};
  key.credentials.fill(whose);
  return key;
}

std::shared_ptr<const RefreshFailure> Miss() { return std::make_shared<const RefreshFailure>(); }

BOOST_AUTO_TEST_CASE(AMissIsRememberedForThatNameAndThoseCredentialsForHalfAMinute) {
  NameMisses misses;
  misses.Note(Key("web:1.0", 1), Miss(), kNow);
  BOOST_TEST(misses.Of(Key("web:1.0", 1), kNow + SinceBoot{29}));
  BOOST_TEST(!misses.Of(Key("web:1.0", 1), kNow + SinceBoot{30}));
  BOOST_TEST(!misses.Of(Key("web:1.0", 2), kNow));
  BOOST_TEST(!misses.Of(Key("web:2.0", 1), kNow));
  misses.Drop(Key("web:1.0", 1));
  BOOST_TEST(!misses.Of(Key("web:1.0", 1), kNow));
}

BOOST_AUTO_TEST_CASE(ASearchThatWasCutOffIsRememberedForFiveMinutes) {
  NameMisses misses;
  RefreshFailure cut_off;
  cut_off.error = {Reason::kTooMany, "too much"};
  misses.Note(Key("web:1.0"), std::make_shared<const RefreshFailure>(std::move(cut_off)), kNow);
  misses.Note(Key("web:2.0"), Miss(), kNow);
  BOOST_TEST(misses.Of(Key("web:1.0"), kNow + SinceBoot{299}));
  BOOST_TEST(!misses.Of(Key("web:2.0"), kNow + SinceBoot{299}));
  BOOST_TEST(!misses.Of(Key("web:1.0"), kNow + SinceBoot{300}));
}

BOOST_AUTO_TEST_CASE(MadeUpNamesTakeNothingFromSomebodyElse) {
  NameMisses misses;
  misses.Note(Key("web:1.0", 1), Miss(), kNow);
  for (std::size_t i = 0; i < 10 * NameMisses::kMax; ++i) {
    misses.Note(Key("made-up:" + std::to_string(i), 2), Miss(), kNow + SinceBoot{1});
  }
  BOOST_TEST(misses.Of(Key("web:1.0", 1), kNow + SinceBoot{1}));
  BOOST_TEST(misses.size() == NameMisses::kMax);
}

BOOST_AUTO_TEST_CASE(WhatIsOverTakesNoRoom) {
  NameMisses misses;
  for (std::size_t i = 0; i < 100; ++i) {
    misses.Note(Key("web:" + std::to_string(i)), Miss(), kNow);
  }
  misses.Note(Key("web:last"), Miss(), kNow + NameMisses::kRemembered);
  BOOST_TEST(misses.size() == 1U);
}

}  // namespace
}  // namespace crivet::trust
