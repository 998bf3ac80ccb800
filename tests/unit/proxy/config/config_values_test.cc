// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_values.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

namespace bdata = boost::unit_test::data;
using std::chrono::milliseconds;

struct GoodDuration {
  const char* text;
  milliseconds value;
  friend std::ostream& operator<<(std::ostream& out, const GoodDuration& d) {
    return out << d.text;
  }
};

const GoodDuration kGoodDurations[] = {
    {"0s", milliseconds{0}},
    {"500ms", milliseconds{500}},
    {"5m", std::chrono::minutes{5}},
    {"30d", std::chrono::hours{720}},
    {"1h30m", std::chrono::minutes{90}},
    {"1d2h3m4s5ms", milliseconds{93784005}},
    {"36500d", std::chrono::hours{876000}},
};

BOOST_AUTO_TEST_SUITE(ConfigValuesTest)

BOOST_DATA_TEST_CASE(Duration_Good_HasItsLength, bdata::make(kGoodDurations)) {
  const auto duration = ParseDuration(sample.text);
  BOOST_REQUIRE(duration);
  BOOST_TEST((*duration == sample.value));
}

BOOST_DATA_TEST_CASE(Duration_Bad_IsRefused,
                     bdata::make({"", "5", "s", "-5s", "5 s", "5S", "1.5h", "5m1h", "5s5s",
                                  "36501d", "99999999999999999999s", "18446744073709551615d", "+1s",
                                  "1w"})) {
  BOOST_TEST(!ParseDuration(sample));
}

BOOST_AUTO_TEST_CASE(Duration_Formatted_ReadsBack) {
  for (const auto& [text, value] : kGoodDurations) {
    BOOST_TEST((ParseDuration(FormatDuration(value)) == value), text);
  }
}

BOOST_AUTO_TEST_CASE(EditDistance_CountsSlips) {
  BOOST_TEST(EditDistance("", "") == 0U);
  BOOST_TEST(EditDistance("abc", "") == 3U);
  BOOST_TEST(EditDistance("listen", "listen") == 0U);
  BOOST_TEST(EditDistance("listne", "listen") == 1U);
  BOOST_TEST(EditDistance("lsten", "listen") == 1U);
  BOOST_TEST(EditDistance("listten", "listen") == 1U);
  BOOST_TEST(EditDistance("lixten", "listen") == 1U);
  BOOST_TEST(EditDistance("upstream", "listen") > 4U);
}

BOOST_AUTO_TEST_CASE(NearestWord_FarFromAll_IsNone) {
  BOOST_TEST(NearestWord("colour", {"images", "action"}).empty());
  BOOST_TEST(NearestWord("image", {"images", "action"}) == "images");
  BOOST_TEST(NearestWord(std::string(100'000, 'a'), {"images"}).empty());
}

BOOST_DATA_TEST_CASE(ListenAddress_Good_IsAccepted,
                     bdata::make({"127.0.0.1:9477", "[::1]:1", "0.0.0.0:65535", "[fe80::1]:80"})) {
  BOOST_TEST(CheckListenAddress(sample).has_value());
}

BOOST_DATA_TEST_CASE(ListenAddress_Bad_IsRefused,
                     bdata::make({"", ":80", "localhost:80", "127.0.0.1", "127.0.0.1:", "::1:80",
                                  "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:080", "[::1]",
                                  "[]:1", "127.1:80"})) {
  BOOST_TEST(!CheckListenAddress(sample));
}

BOOST_DATA_TEST_CASE(MethodPath_Bad_IsRefused, bdata::make({"", "/", "//", "/a", "a.b/C", "/a.b/",
                                                            "/a.b/C/D", "/a b/C", "/a.b/C*"})) {
  BOOST_TEST(!CheckMethodPath(sample));
}

BOOST_DATA_TEST_CASE(HostName_Good_IsLowerCase, bdata::make({"Tokens.Example", "tokens.example"})) {
  const auto host = CheckHostName(sample);
  BOOST_REQUIRE(host);
  BOOST_TEST(*host == "tokens.example");
}

BOOST_DATA_TEST_CASE(HostName_Bad_IsRefused,
                     bdata::make({"", "https://x", "x/y", "x:0", "x:99999", "-x", "x y", "*.x"})) {
  BOOST_TEST(!CheckHostName(sample));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
