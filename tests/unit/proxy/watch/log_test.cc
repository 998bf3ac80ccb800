#include "proxy/watch/log.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

constexpr trust::TimePoint kTime{std::chrono::seconds{1'800'000'000}};

BOOST_AUTO_TEST_SUITE(LogTest)

BOOST_AUTO_TEST_CASE(Line_HasTimeLevelMessageAndFields) {
  BOOST_TEST(LogLine(kTime, Log::Level::kWarn, "it failed", {{"GUN", "x/y"}, {"COUNT", "2"}}) ==
             "2027-01-15T08:00:00Z warn it failed gun=x/y count=2");
}

BOOST_AUTO_TEST_CASE(Line_OfSeveralLines_IsOne) {
  BOOST_TEST(LogLine(kTime, Log::Level::kInfo, "a\nb\r\x1B[31m", {{"X", "c\nd"}}) ==
             "2027-01-15T08:00:00Z info a b  [31m x=c d");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
