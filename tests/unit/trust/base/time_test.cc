// SPDX-License-Identifier: Apache-2.0
#include "trust/base/time.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

using namespace crivet::trust;
using namespace std::chrono;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(TimeTest)

struct Reading {
  const char* text;
  const char* utc;
};
std::ostream& operator<<(std::ostream& out, const Reading& r) { return out << r.text; }

const Reading kReadings[] = {
    {"2026-11-24T09:12:00Z", "2026-11-24T09:12:00Z"},
    {"2026-11-24T09:12:00.5Z", "2026-11-24T09:12:00Z"},
    {"2026-11-24T09:12:00.123456789Z", "2026-11-24T09:12:00Z"},
    {"2026-11-24T09:12:00-05:00", "2026-11-24T14:12:00Z"},
    {"2026-11-24T09:12:00.25+05:30", "2026-11-24T03:42:00Z"},
    {"2026-12-31T23:59:59-00:01", "2027-01-01T00:00:59Z"},
    {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
    {"1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"},
    {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
};
BOOST_DATA_TEST_CASE(ParseRfc3339_FormsThatNotaryWrites_AreRead, data::make(kReadings), row) {
  const auto time = ParseRfc3339(row.text);
  BOOST_REQUIRE(time.has_value());
  BOOST_TEST(FormatRfc3339(*time) == row.utc);
}

BOOST_AUTO_TEST_CASE(ParseRfc3339_KnownTimes_AreTheRightSeconds) {
  BOOST_TEST((ParseRfc3339("1970-01-01T00:00:00Z").value() == TimePoint{seconds{0}}));
  BOOST_TEST((ParseRfc3339("2000-03-01T00:00:00Z").value() == TimePoint{seconds{951868800}}));
  BOOST_TEST((ParseRfc3339("2038-01-19T03:14:08Z").value() == TimePoint{seconds{2147483648}}));
}

const char* const kNotTimes[] = {
    "",
    "2026-11-24",
    "2026-11-24T09:12Z",
    "2026-11-24T09:12:00",
    "2026-11-24t09:12:00Z",
    "2026-11-24T09:12:00z",
    "2026-11-24 09:12:00Z",
    "2026-11-24T09:12:00Z ",
    " 2026-11-24T09:12:00Z",
    "2026-11-24T09:12:00Zx",
    "2026-11-24T09:12:00.Z",
    "2026-11-24T09:12:00.1234567890Z",
    "2026-11-24T09:12:00,5Z",
    "2026-11-24T24:00:00Z",
    "2026-11-24T09:60:00Z",
    "2026-11-24T09:12:60Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-11-00T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-11-24T09:12:00+0530",
    "2026-11-24T09:12:00+05",
    "2026-11-24T09:12:00+24:00",
    "2026-11-24T09:12:00+05:60",
    "2026-11-24T09:12:00Z+01:00",
    "+026-11-24T09:12:00Z",
    "-026-11-24T09:12:00Z",
    "20260-11-24T09:12:00Z",
    "2026-1-24T09:12:00Z",
    "2026-11-24T9:12:00Z",
    "1795511520",
};
BOOST_DATA_TEST_CASE(ParseRfc3339_AnythingElse_IsMalformed, data::make(kNotTimes), text) {
  const auto time = ParseRfc3339(text);
  BOOST_REQUIRE(!time.has_value());
  BOOST_TEST((time.error().reason == Reason::kMalformed));
}

BOOST_AUTO_TEST_CASE(ParseRfc3339_ErrorText_DoesNotRepeatTheInput) {
  const auto time = ParseRfc3339("SECRET");
  BOOST_REQUIRE(!time.has_value());
  BOOST_TEST(time.error().detail.find("SECRET") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(FormatRfc3339_ReadAgain_IsTheSameTime) {
  for (const std::int64_t s :
       {0LL, 1LL, 86399LL, 951868800LL, 1795511520LL, -1LL, 253402300799LL}) {
    const TimePoint time{seconds{s}};
    BOOST_TEST_CONTEXT(s) { BOOST_TEST((ParseRfc3339(FormatRfc3339(time)).value() == time)); }
  }
}

BOOST_AUTO_TEST_SUITE_END()
