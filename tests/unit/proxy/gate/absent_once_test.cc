// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/absent_once.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace crivet::proxy {
namespace {

const AbsentOnce::Clock::time_point kNow{std::chrono::hours(1)};

}  // namespace

BOOST_AUTO_TEST_SUITE(AbsentOnceTest)

BOOST_AUTO_TEST_CASE(Take_IsTrueOnce) {
  AbsentOnce names;
  names.Add("a", "shop", kNow);
  BOOST_TEST(!names.Take("b", kNow));
  BOOST_TEST(names.Take("a", kNow + std::chrono::seconds(59)));
  BOOST_TEST(!names.Take("a", kNow + std::chrono::seconds(59)));
}

BOOST_AUTO_TEST_CASE(Take_IsTrueOnceForAllNamespaces) {
  AbsentOnce names;
  names.Add("a", "shop", kNow);
  names.Add("a", "prod", kNow);
  BOOST_TEST(names.Take("a", kNow));
  BOOST_TEST(!names.Take("a", kNow));
}

BOOST_AUTO_TEST_CASE(Entry_EndsAfterAMinuteAndWithAPull) {
  AbsentOnce names;
  names.Add("a", "shop", kNow);
  BOOST_TEST(!names.Take("a", kNow + std::chrono::seconds(60)));
  names.Add("a", "shop", kNow);
  names.Forget("a");
  BOOST_TEST(!names.Take("a", kNow));
}

BOOST_AUTO_TEST_CASE(NamespaceThatFillsItsShare_TakesNothingFromOthers) {
  AbsentOnce names;
  names.Add("theirs", "prod", kNow);
  for (std::size_t i = 0; i < 10 * AbsentOnce::kMaxOfNamespace; ++i) {
    names.Add(std::to_string(i), "shop", kNow);
  }
  names.Add("later", "prod", kNow);
  BOOST_TEST(names.Take("theirs", kNow));
  BOOST_TEST(names.Take("later", kNow));
  // Of its own the oldest have made room.
  BOOST_TEST(!names.Take("0", kNow));
  BOOST_TEST(names.Take(std::to_string(10 * AbsentOnce::kMaxOfNamespace - 1), kNow));
}

BOOST_AUTO_TEST_CASE(AddSeldom_IsOnceInFiveMinutes_ForEachNameAndNamespace) {
  AbsentOnce names;
  names.AddSeldom("a", "shop", kNow);
  BOOST_TEST(names.Take("a", kNow));
  names.AddSeldom("a", "shop", kNow + std::chrono::seconds(299));
  BOOST_TEST(!names.Take("a", kNow + std::chrono::seconds(299)));
  names.AddSeldom("a", "prod", kNow);
  BOOST_TEST(names.Take("a", kNow));
  names.AddSeldom("b", "shop", kNow);
  BOOST_TEST(names.Take("b", kNow));
  names.AddSeldom("a", "shop", kNow + std::chrono::seconds(300));
  BOOST_TEST(names.Take("a", kNow + std::chrono::seconds(300)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
