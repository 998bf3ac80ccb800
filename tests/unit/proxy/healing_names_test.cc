#include "proxy/healing_names.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace crivet::proxy {
namespace {

const HealingNames::Clock::time_point kNow{std::chrono::hours(1)};

}  // namespace

BOOST_AUTO_TEST_SUITE(HealingNamesTest)

BOOST_AUTO_TEST_CASE(Take_IsTrueOnce) {
  HealingNames names;
  names.Add("a", kNow);
  BOOST_TEST(!names.Take("b", kNow));
  BOOST_TEST(names.Take("a", kNow + std::chrono::seconds(59)));
  BOOST_TEST(!names.Take("a", kNow + std::chrono::seconds(59)));
}

BOOST_AUTO_TEST_CASE(Entry_EndsAfterAMinuteAndWithAPull) {
  HealingNames names;
  names.Add("a", kNow);
  BOOST_TEST(!names.Take("a", kNow + std::chrono::seconds(60)));
  names.Add("a", kNow);
  names.Forget("a");
  BOOST_TEST(!names.Take("a", kNow));
}

BOOST_AUTO_TEST_CASE(Names_AreCappedAndOldOnesMakeRoom) {
  HealingNames names;
  for (std::size_t i = 0; i < HealingNames::kMaxNames; ++i) names.Add(std::to_string(i), kNow);
  names.Add("one more", kNow);
  BOOST_TEST(!names.Take("one more", kNow));
  names.Add("later", kNow + HealingNames::kLifetime);
  BOOST_TEST(names.Take("later", kNow + HealingNames::kLifetime));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
